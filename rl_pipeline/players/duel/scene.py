"""Duel scene: destroy the other vehicle before it destroys yours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import mujoco
import numpy as np
from numpy.typing import NDArray

from rl_pipeline.interfaces import Batch
from rl_pipeline.players import lidar
from rl_pipeline.players.arena_geometry import OUT_OF_THE_WAY
from rl_pipeline.players.duel.arena import COVER, lay_out, opposite
from rl_pipeline.players.duel.bot import Bot
from rl_pipeline.players.duel.fighter import NUM_RAYS, Fighter, Orders
from rl_pipeline.players.duel.model import SIDES, build_model
from rl_pipeline.players.duel.visuals import CAMERA, make_picture
from rl_pipeline.players.rendering.picture import Picture
from rl_pipeline.players.scene import Scene, SceneParameters, within


@dataclass(frozen=True)
class DuelParameters(SceneParameters):
    """Parameters of an episode: the fields of interfaces_pkg/DuelParameters.

    Attributes:
        bot_strength: strength of the bot that drives red, from 0 to 1.
        cover_pairs: number of obstacles on each side, rounded.
        dispersion: standard deviation of the angle between gun and shot, rad.
        speed_scale: actual speeds of the vehicles divided by those of the orders.
    """

    bot_strength: float = within(0.5, 0.0, 1.0)
    cover_pairs: float = within(2.0, 0, len(COVER))
    dispersion: float = within(0.02, 0.0, 0.5)
    speed_scale: float = within(1.0, 0.2, 1.5)


_LENGTHS: Final = {f"state.{side}.lidar.{field}": NUM_RAYS for side in SIDES for field in ("ranges", "tags")}

_DEFAULTS: Final = DuelParameters()


class DuelScene(Scene):
    """Walled arena with cover, and a vehicle with a turret for each side.

    Attributes:
        fighters: blue and red.
        bot: driver of red; None: step requests drive red.
    """

    name = "duel"
    reset_service = "interfaces_pkg/DuelReset"
    step_service = "interfaces_pkg/DuelStep"
    lengths = _LENGTHS
    default_control_period = 0.1
    max_timestep = 0.025
    camera = CAMERA

    def __init__(self, sample_time: float = 0.0, seed: int = 0) -> None:
        """Build the scene for a control period of `sample_time` seconds (0: 0.1); begin with the arena of `seed`."""
        super().__init__(build_model(), sample_time)
        blue, red = (Fighter(self.model, self.data, side, index) for index, side in enumerate(SIDES))
        self.fighters = (blue, red)
        self.bot: Bot | None = None
        self.reset(seed)

    def begin(self, request: Batch) -> None:
        """Begin the duel of a DuelReset request."""
        self.reset(int(request["seed"][0]), DuelParameters.of(request), red_acts=bool(request["red_acts"][0]))

    def reset(self, seed: int, parameters: DuelParameters = _DEFAULTS, *, red_acts: bool = False) -> None:
        """Begin the duel of a seed.

        Args:
            seed: seed of layout, shots and bot.
            parameters: parameters of the episode.
            red_acts: True if step requests drive red, False for the bot.
        """
        # Arena and vehicles; red starts opposite blue.
        self._rng = rng = np.random.default_rng(seed)
        layout = lay_out(rng, round(parameters.cover_pairs))
        mujoco.mj_resetData(self.model, self.data)
        for fighter, pose in zip(self.fighters, (layout.start, opposite(layout.start)), strict=True):
            x, y, yaw = pose.tolist()
            fighter.reset((x, y, yaw), parameters.speed_scale)
        self._place([turned for pose in layout.cover for turned in (pose, opposite(pose))])
        # Guns, and the driver of red.
        self._dispersion = parameters.dispersion
        self.bot = None if red_acts else Bot(parameters.bot_strength, rng, self.timestep * self.substeps)
        self._until_decision = 0
        # Bring positions of bodies, contacts and sensors up to date.
        mujoco.mj_forward(self.model, self.data)
        self._looked = False

    def act(self, request: Batch) -> None:
        """Hold the orders of a DuelStep request."""
        blue, red = self.fighters
        blue.obey(_orders(request, "blue"))
        if self.bot is None:
            red.obey(_orders(request, "red"))

    def advance(self, substeps: int) -> None:
        """Simulate substeps; the bot decides and guns fire between them."""
        for _ in range(substeps):
            if self.bot is not None:
                self._drive_red(self.bot)
            self._exchange_fire()
            mujoco.mj_step(self.model, self.data)
            self._looked = False
        self.elapsed_substeps += substeps

    def _drive_red(self, bot: Bot) -> None:
        """Give red new orders by the bot, once a control period."""
        if self._until_decision == 0:
            self._until_decision = self.substeps
            self._look()
            blue, red = self.fighters
            red.obey(bot.decide(red, blue, self.in_sight))
        self._until_decision -= 1

    def _exchange_fire(self) -> None:
        """Fire the guns that are due. Two shots in one substep are simultaneous: both vehicles may be destroyed."""
        blue, red = self.fighters
        firing = [pair for pair in ((blue, red), (red, blue)) if pair[0].update_gun(self.timestep)]
        if not firing:
            return
        # Rays need the present positions of bodies, which a step leaves one substep behind.
        mujoco.mj_kinematics(self.model, self.data)
        hit = [
            other
            for own, other in firing
            if own.fire(other, self._dispersion * self._rng.standard_normal(), self.data.time)
        ]
        for fighter in hit:
            fighter.take_hit()

    def _look(self) -> None:
        """Update the lidars and the line of sight, once for each state."""
        if self._looked:
            return
        # A step leaves the positions of bodies one substep behind.
        mujoco.mj_kinematics(self.model, self.data)
        for fighter in self.fighters:
            fighter.look()
        self.in_sight = self.fighters[0].sees(self.fighters[1])
        self._looked = True

    def _place(self, poses: Sequence[NDArray[np.float64]]) -> None:
        """Put cover at poses (x, y, heading), in pairs, and the rest out of the way."""
        for index in range(2 * len(COVER)):
            body = self.model.body(f"obstacle_{index}").mocapid[0]
            if index < len(poses):
                x, y, yaw = poses[index].tolist()
                self.data.mocap_pos[body] = (x, y, 0.0)
                self.data.mocap_quat[body] = (math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2))
            else:
                self.data.mocap_pos[body] = OUT_OF_THE_WAY

    def state_writer(self, response: Batch) -> Callable[[], None]:
        """Return a function that updates the lidars and writes the DuelState of a response."""
        writers = [
            _vehicle_writer(response, f"state.{side}", fighter)
            for side, fighter in zip(SIDES, self.fighters, strict=True)
        ]
        in_sight = response["state.in_sight"]

        def write() -> None:
            self._look()
            for write_vehicle in writers:
                write_vehicle()
            in_sight[0] = self.in_sight

        return write

    def picture(self) -> Picture:
        """Return the rings around the vehicles, shots and gauges of the present state."""
        return make_picture(self.fighters, "agent" if self.bot is None else "bot", self.data.time)


def _orders(request: Batch, side: str) -> Orders:
    """Return the orders of a DuelStep request, a batch of one, for a side."""
    return Orders(
        float(request[f"{side}.drive.linear.x"][0]),
        float(request[f"{side}.drive.angular.z"][0]),
        float(request[f"{side}.turret_rate"][0]),
        bool(request[f"{side}.fire"][0]),
    )


def _vehicle_writer(response: Batch, path: str, fighter: Fighter) -> Callable[[], None]:
    """Return a function that writes the DuelVehicle at `path`."""
    # Constant fields once; the others are looked up once, since the function runs in every step.
    response[f"{path}.lidar.angle_min"] = 0.0
    response[f"{path}.lidar.angle_increment"] = 2 * math.pi / NUM_RAYS
    response[f"{path}.lidar.range_max"] = lidar.RANGE_MAX
    state = [response[f"{path}.{name}"] for name in _CHANGING_FIELDS]
    pose_x, pose_y, pose_cos, pose_sin, speed, slip, turn_rate, turret, health, reload, ranges, tags = state

    def write() -> None:
        x, y, yaw, turret[0] = fighter.pose()
        pose_x[0], pose_y[0] = x, y
        pose_cos[0], pose_sin[0] = math.cos(yaw / 2), math.sin(yaw / 2)
        speed[0], slip[0], turn_rate[0] = fighter.twist()
        health[0], reload[0] = fighter.health, fighter.reload
        ranges[0], tags[0] = fighter.lidar.ranges, fighter.lidar.tags

    return write


_CHANGING_FIELDS: Final = (
    "pose.position.x",
    "pose.position.y",
    "pose.orientation.w",
    "pose.orientation.z",
    "twist.linear.x",
    "twist.linear.y",
    "twist.angular.z",
    "turret",
    "health",
    "reload",
    "lidar.ranges",
    "lidar.tags",
)
"""Fields of a vehicle that change from step to step, in the order in which `_vehicle_writer` unpacks them."""
