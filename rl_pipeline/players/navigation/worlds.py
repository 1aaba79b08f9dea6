"""Worlds of the navigation scene, stepped together by MuJoCo's batch; bit for bit the same as separate scenes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import mujoco
import numpy as np
from mujoco.batch import Batch as WorldBatch
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch, load_interfaces
from rl_pipeline.interfaces.multi_world import RESET
from rl_pipeline.players import lidar
from rl_pipeline.players import tracked_vehicle as vehicle
from rl_pipeline.players.navigation.arena import TARGET_RADIUS, Layout
from rl_pipeline.players.navigation.model import build_model
from rl_pipeline.players.navigation.scene import NavigationParameters, NavigationScene, harm, write_constants
from rl_pipeline.players.rendering.picture import Picture
from rl_pipeline.players.worlds import Worlds

_INTEGRATED: Final = ("qpos", "qvel", "qacc_warmstart", "time")
"""Arrays of a world's state that a step changes."""

_LIMITS: Final = np.array((vehicle.MAX_SPEED, vehicle.MAX_TURN_RATE))
"""Greatest target twist, m/s and rad/s."""
_DRIVE_AND_TURN: Final = slice(0, 3, 2)
"""Actuators drive and turn; grip is between them."""

_CONTROLLED: Final = ("ctrl", "mocap_pos", "mocap_quat")
"""Arrays of a world's state that only actions and resets change."""


class NavigationWorlds(Worlds):
    """M worlds of the navigation scene.

    Physics and rays of all worlds are computed in C in one call, on one thread: each core runs a player of its own.
    Everything that a scene does with the results is done in NumPy for all worlds at once.

    Args:
        sample_time: control period, s; 0: 0.1.
        seed: seed of the first world; world i begins with seed + i.
        count: M.
    """

    def __init__(self, sample_time: float, seed: int, count: int) -> None:
        self._first = NavigationScene(sample_time, seed)
        super().__init__(self._first, count)
        # The batch of worlds; the bound arrays have a row for each world.
        model = build_model(looks=False)
        model.opt.timestep = self.timestep
        self._batch = WorldBatch(model, count, nthread=1)
        self._position, self._velocity = self._batch.bind("qpos"), self._batch.bind("qvel")
        self._control = self._batch.bind("ctrl")
        self._bound = {name: self._batch.bind(name) for name in (*_INTEGRATED, *_CONTROLLED)}
        self._integrated = [self._bound[name] for name in _INTEGRATED]
        self._vehicle = model.body("vehicle").id
        self._tag_of_geom = lidar.tags_by_geom(model)
        # Everything that a scene keeps besides the state of its model.
        self._layouts: list[Layout] = [self._first.layout] * count
        self._targets: NDArray[np.float64] = np.zeros((count, 2))
        self._goal: NDArray[np.float64] = np.zeros((count, 2))
        self._speed_scale: NDArray[np.float64] = np.ones(count)
        self._noises = [self._first.noise] * count
        self._is_noisy = False
        self._health: NDArray[np.float64] = np.ones(count)
        self._substeps_in_goal: NDArray[np.int64] = np.zeros(count, np.int64)
        # States of all worlds; the constant fields are written once.
        response = load_interfaces().service(NavigationScene.step_service).response
        plain = response.layout(NavigationScene.lengths).empty(count)
        write_constants(plain)
        self._states: Batch = plain["state"]
        self._unwritten: NDArray[np.bool_] = np.ones(count, np.bool_)
        self._lay_out(np.arange(count), np.arange(seed, seed + count), [NavigationParameters()] * count)

    def begin(self, request: Batch) -> None:
        """Begin episodes in the worlds that a NavigationResetBatch request marks."""
        worlds = np.flatnonzero(request[RESET][0])
        if len(worlds):
            parameters = [NavigationParameters.of(request, world) for world in worlds.tolist()]
            self._lay_out(worlds, request["seed"][0, worlds], parameters)

    def act(self, request: Batch) -> None:
        """Hold the target twists of a NavigationStepBatch request, clipped; NaN counts as 0."""
        targets = self._targets
        targets[:, 0], targets[:, 1] = request["action.linear.x"][0], request["action.angular.z"][0]
        is_held = (self._health > 0.0)[:, None] & (targets == targets)
        # np.clip takes several times as long on few numbers.
        held = np.minimum(np.maximum(np.where(is_held, targets, 0.0), -_LIMITS), _LIMITS)
        self._control[:, _DRIVE_AND_TURN] = self._speed_scale[:, None] * held

    def advance(self, substeps: int) -> None:
        """Simulate substeps; count damage and time in the goal zone in each."""
        # All substeps in one call, with the positions and contact forces of each.
        before = [values.copy() for values in self._integrated]
        records = self._batch.rollout(substeps, record=("qpos", "sensordata"))
        positions, forces = records["qpos"], records["sensordata"][:, :, 0]
        # Damage, in the few worlds with a contact.
        for world in np.flatnonzero(forces.any(axis=1)).tolist():
            self._damage(world, before, positions[world], forces[world])
        # Time in the goal zone: counted on inside, set to 0 outside, substep by substep.
        offset = positions[:, :, :2] - self._goal[:, None, :]
        inside = offset[:, :, 0] * offset[:, :, 0] + offset[:, :, 1] * offset[:, :, 1] <= TARGET_RADIUS * TARGET_RADIUS
        for substep in range(substeps):
            self._substeps_in_goal += 1
            self._substeps_in_goal *= inside[:, substep]
        self.elapsed_substeps += substeps
        self._unwritten[:] = True

    def _damage(
        self,
        world: int,
        before: list[NDArray[np.float64]],
        positions: NDArray[np.float64],
        forces: NDArray[np.float64],
    ) -> None:
        """Reduce the health of one vehicle by the contact forces of its substeps.

        A vehicle that is destroyed loses its drive at that moment: later substeps are simulated again.

        Args:
            world: index of the world.
            before: state of all worlds before the substeps.
            positions: positions after each substep, shape (substeps, 3); corrected in place.
            forces: contact forces, N, shape (substeps,).
        """
        # In the order of the substeps, as in a scene.
        health = float(self._health[world])
        for substep, force in enumerate(forces.tolist()):
            intact = health > 0.0
            health = max(0.0, health - harm(force, self.timestep))
            if intact and health == 0.0:
                self._stop(world, before, positions, substep + 1)
                break
        self._health[world] = health

    def _stop(
        self, world: int, before: list[NDArray[np.float64]], positions: NDArray[np.float64], substeps: int
    ) -> None:
        """Simulate a world again from the state `before`, without drive after `substeps` substeps."""
        for values, earlier in zip(self._integrated, before, strict=True):
            values[world] = earlier[world]
        self._batch.rollout(substeps, ids=[world])
        self._control[world] = 0.0
        if rest := len(positions) - substeps:
            positions[substeps:] = self._batch.rollout(rest, ids=[world])["qpos"][0]

    def state_writer(self, response: Batch) -> Callable[[], None]:
        """Return a function that writes the NavigationState of every world; only lidars of changed worlds scan."""
        states = response["state"].stacked

        def write() -> None:
            if self._unwritten.all():
                self._observe(slice(None))
            elif self._unwritten.any():
                self._observe(np.flatnonzero(self._unwritten))
            self._unwritten[:] = False
            states.assign(slice(None), self._states)

        return write

    def _observe(self, worlds: NDArray[np.intp] | slice) -> None:
        """Write the states of worlds; a slice for all of them is faster than their indices."""
        position, velocity, states = self._position[worlds], self._velocity[worlds], self._states
        # math.cos, as in a scene: NumPy's may differ in the last bit.
        yaws = position[:, 2].tolist()
        cos, sin = np.array([math.cos(yaw) for yaw in yaws]), np.array([math.sin(yaw) for yaw in yaws])
        states["pose.position.x"][worlds], states["pose.position.y"][worlds] = position[:, 0], position[:, 1]
        states["pose.orientation.w"][worlds] = [math.cos(yaw / 2) for yaw in yaws]
        states["pose.orientation.z"][worlds] = [math.sin(yaw / 2) for yaw in yaws]
        states["twist.linear.x"][worlds] = cos * velocity[:, 0] + sin * velocity[:, 1]
        states["twist.linear.y"][worlds] = cos * velocity[:, 1] - sin * velocity[:, 0]
        states["twist.angular.z"][worlds] = velocity[:, 2]
        states["health"][worlds] = self._health[worlds]
        states["goal_timer.elapsed"][worlds] = self._substeps_in_goal[worlds] * self.timestep
        # Lidar, with the errors of those episodes that have some.
        ranges, tags = self._scan(worlds, position, cos, sin)
        if self._is_noisy:
            for row, noise in zip(ranges, np.array(self._noises)[worlds], strict=True):
                row[:] = noise.added(row)
        states["lidar.ranges"][worlds], states["lidar.tags"][worlds] = ranges, tags

    def _scan(
        self,
        worlds: NDArray[np.intp] | slice,
        position: NDArray[np.float64],
        cos: NDArray[np.float64],
        sin: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Return ranges and tags of one revolution of each lidar, shape (worlds, 30)."""
        # One origin for all rays of a world, and directions turned by its heading.
        origins = np.full((len(position), 1, 3), vehicle.LIDAR_HEIGHT)
        origins[:, 0, :2] = position[:, :2]
        directions = lidar.AHEAD * cos[:, None, None]
        directions += lidar.ASIDE * sin[:, None, None]
        ids = None if isinstance(worlds, slice) else worlds
        ranges, geoms = self._batch.ray(origins, directions, lidar.SOLID_GROUP, True, self._vehicle, ids)
        lidar.mark_misses(ranges, geoms)
        return ranges, np.take(self._tag_of_geom, geoms, mode="wrap")

    def _lay_out(
        self, worlds: NDArray[np.intp], seeds: NDArray[np.integer], parameters: Sequence[NavigationParameters]
    ) -> None:
        """Begin episodes with these seeds and parameters in these worlds."""
        states = self._states
        for world, seed, given in zip(worlds.tolist(), seeds.tolist(), parameters, strict=True):
            # Reset a scene and copy its state; the first world's is free for this, since it only makes pictures.
            self._first.reset(seed, given)
            self._speed_scale[world], self._noises[world] = self._first.speed_scale, self._first.noise
            self._is_noisy |= given.lidar_noise > 0.0
            for name, values in self._bound.items():
                values[world] = getattr(self.data, name)
            self._layouts[world] = layout = self._first.layout
            self._goal[world] = layout.goal
            states["target.position.x"][world], states["target.position.y"][world] = layout.goal
            states["target.orientation.w"][world] = math.cos(layout.goal_heading / 2)
            states["target.orientation.z"][world] = math.sin(layout.goal_heading / 2)
        self._health[worlds] = 1.0
        self._substeps_in_goal[worlds] = 0
        self._unwritten[worlds] = True

    def picture(self) -> Picture:
        """Return everything in a frame of the first world that is not a body of the model; bring `data` up to date."""
        # Copy the first world to its scene.
        first = self._first
        first.layout, first.health = self._layouts[0], float(self._health[0])
        first.substeps_in_goal = int(self._substeps_in_goal[0])
        for name, values in self._bound.items():
            setattr(self.data, name, values[0])
        mujoco.mj_kinematics(self.model, self.data)
        return first.picture()
