"""Navigation scene: drive a tracked vehicle into the goal zone and stay there for a second, without damage."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import mujoco

from rl_pipeline.interfaces import Batch
from rl_pipeline.players import lidar
from rl_pipeline.players import tracked_vehicle as vehicle
from rl_pipeline.players.arena_geometry import OUT_OF_THE_WAY
from rl_pipeline.players.navigation.arena import OBSTACLES, START_GOAL_DISTANCE, TARGET_RADIUS, Layout, lay_out
from rl_pipeline.players.navigation.model import build_model
from rl_pipeline.players.navigation.visuals import CAMERA, make_picture
from rl_pipeline.players.rendering.picture import Picture
from rl_pipeline.players.scene import Scene, SceneParameters, within


@dataclass(frozen=True)
class NavigationParameters(SceneParameters):
    """Parameters of an episode: the fields of interfaces_pkg/NavigationParameters.

    Attributes:
        obstacle_count: number of obstacles, rounded.
        goal_distance: greatest distance from start to goal, m.
        speed_scale: actual twist of the vehicle divided by the target twist.
        lidar_noise: standard deviation of the ranges, m.
    """

    obstacle_count: float = within(len(OBSTACLES), 0, len(OBSTACLES))
    goal_distance: float = within(START_GOAL_DISTANCE[1], 2.0, 11.0)
    speed_scale: float = within(1.0, 0.2, 1.5)
    lidar_noise: float = within(0.0, 0.0, 1.0)

    def layout(self, seed: int) -> Layout:
        """Draw the arena of a seed."""
        return lay_out(seed, round(self.obstacle_count), self.goal_distance)


DWELL_TIME: Final = 1.0
"""Time that the vehicle must stay in the goal zone, s."""

CRASH_COST: Final = 0.2
"""Loss of health by a collision at full speed."""

LEANING_COST: Final = 0.05
"""Loss of health by pushing against something with full force, 1/s."""

HIT_FORCE: Final = 2 * vehicle.DRIVE_FORCE
"""Contact force above which a contact is a collision, N; below it the vehicle pushes with the force of its tracks."""

_FULL_SPEED_MOMENTUM: Final = vehicle.MASS * vehicle.MAX_SPEED
"""Momentum that a collision at full speed takes, N s."""

_DEFAULTS: Final = NavigationParameters()
_LENGTHS: Final = {"state.lidar.ranges": lidar.NUM_RAYS, "state.lidar.tags": lidar.NUM_RAYS}


class NavigationScene(Scene):
    """Walled arena with obstacles, a tracked vehicle with a lidar, and a goal zone.

    Attributes:
        layout: the present arena.
        lidar: lidar of the vehicle; it scans whenever a state is written.
        health: from 1 (unharmed) to 0 (destroyed); a destroyed vehicle stands still.
        speed_scale: actual twist of the vehicle divided by the target twist.
        noise: errors of the ranges in the state.
        substeps_in_goal: substeps since the centre of the vehicle entered the goal zone; 0 outside.
    """

    name = "navigation"
    reset_service = "interfaces_pkg/NavigationReset"
    step_service = "interfaces_pkg/NavigationStep"
    command_type = "geometry_msgs/Twist"
    lengths = _LENGTHS
    default_control_period = 0.1
    max_timestep = 0.02
    camera = CAMERA

    layout: Layout
    speed_scale: float
    noise: lidar.LidarNoise
    health: float
    substeps_in_goal: int

    def __init__(self, sample_time: float = 0.0, seed: int = 0) -> None:
        """Build the scene for a control period of `sample_time` seconds (0: 0.1); begin with the arena of `seed`."""
        super().__init__(build_model(), sample_time)
        self.lidar = lidar.Lidar(self.model, vehicle.LIDAR_HEIGHT)
        # Views of MuJoCo's arrays: fetching an attribute of MjData takes as long as adding two arrays.
        self._position = self.data.qpos
        self._velocity = self.data.qvel
        self._control = self.data.ctrl
        self._touch = self.data.sensordata
        self._obstacles = [self.model.body(f"obstacle_{index}").mocapid[0] for index in range(len(OBSTACLES))]
        self._beacon = self.model.body("beacon").mocapid[0]
        self.reset(seed)

    def begin(self, request: Batch) -> None:
        """Begin the episode of a NavigationReset request."""
        self.reset(int(request["seed"][0]), NavigationParameters.of(request))

    def reset(self, seed: int, parameters: NavigationParameters = _DEFAULTS) -> None:
        """Lay out the arena of a seed and put an unharmed vehicle at the start."""
        self.layout = layout = parameters.layout(seed)
        self.speed_scale = parameters.speed_scale
        self.noise = lidar.LidarNoise(seed, parameters.lidar_noise)
        # Obstacles: those of the layout at their poses, the rest out of the way. A heading h about the vertical is the
        # quaternion (cos(h/2), 0, 0, sin(h/2)).
        mujoco.mj_resetData(self.model, self.data)
        self.data.mocap_pos[self._obstacles] = OUT_OF_THE_WAY
        for index, (x, y, heading) in zip(self._obstacles, layout.obstacles, strict=False):
            self.data.mocap_pos[index] = (x, y, 0.0)
            self.data.mocap_quat[index] = (math.cos(heading / 2), 0.0, 0.0, math.sin(heading / 2))
        # Goal and vehicle.
        self.data.mocap_pos[self._beacon] = (*layout.goal, 0.0)
        self._position[:] = layout.start
        self.health = 1.0
        self.substeps_in_goal = 0
        # Bring positions of bodies, contacts and sensors up to date.
        mujoco.mj_forward(self.model, self.data)

    def act(self, request: Batch) -> None:
        """Hold the target twist of a NavigationStep request; see `drive`."""
        self.drive(float(request["action.linear.x"][0]), float(request["action.angular.z"][0]))

    def command(self, message: Batch) -> None:
        """Hold the target twist of a geometry_msgs/Twist; see `drive`."""
        self.drive(float(message["linear.x"][0]), float(message["angular.z"][0]))

    def drive(self, speed: float, turn_rate: float) -> None:
        """Hold a target twist, clipped to the limits of the vehicle; NaN counts as 0.

        Args:
            speed: target speed forward, m/s.
            turn_rate: target turn rate to the left, rad/s.
        """
        if self.health == 0.0:
            return
        # Actuators: drive, grip and turn; the target of grip stays 0.
        self._control[0] = self.speed_scale * _clip(speed, vehicle.MAX_SPEED)
        self._control[2] = self.speed_scale * _clip(turn_rate, vehicle.MAX_TURN_RATE)

    def advance(self, substeps: int) -> None:
        """Simulate substeps; count damage and time in the goal zone in each."""
        goal_x, goal_y = self.layout.goal.tolist()
        for _ in range(substeps):
            mujoco.mj_step(self.model, self.data)
            if force := float(self._touch[0]):
                self._damage(force)
            x, y, _ = self._position.tolist()
            inside = (x - goal_x) * (x - goal_x) + (y - goal_y) * (y - goal_y) <= TARGET_RADIUS * TARGET_RADIUS
            self.substeps_in_goal = self.substeps_in_goal + 1 if inside else 0
        self.elapsed_substeps += substeps

    @property
    def time_in_goal(self) -> float:
        """Time since the centre of the vehicle entered the goal zone, s; 0 outside."""
        return self.substeps_in_goal * self.timestep

    def _damage(self, force: float) -> None:
        """Reduce the health by a contact force, N, over one substep; a destroyed vehicle loses its drive."""
        self.health = max(0.0, self.health - harm(force, self.timestep))
        if self.health == 0.0:
            self._control[:] = 0.0

    def state_writer(self, response: Batch) -> Callable[[], None]:
        """Return a function that scans with the lidar and writes the NavigationState of a response."""
        # Fields are looked up once, since the function runs in every step.
        state = {name: response[f"state.{name}"] for name in _CHANGING_FIELDS}
        pose_x, pose_y, pose_cos, pose_sin, speed, slip, turn_rate, health, time_in_goal, ranges, tags = state.values()
        write_constants(response)
        goal_x, goal_y = response["state.target.position.x"], response["state.target.position.y"]
        goal_cos, goal_sin = response["state.target.orientation.w"], response["state.target.orientation.z"]
        written: Layout | None = None

        def write() -> None:
            nonlocal written
            # Plain floats: arithmetic on them is faster than on NumPy's scalars.
            x, y, yaw = self._position.tolist()
            velocity_x, velocity_y, velocity_yaw = self._velocity.tolist()
            cos, sin = math.cos(yaw), math.sin(yaw)
            self.lidar.scan(self.data, x, y, cos, sin)
            # Pose: the heading as a quaternion about the vertical.
            pose_x[0], pose_y[0] = x, y
            pose_cos[0], pose_sin[0] = math.cos(yaw / 2), math.sin(yaw / 2)
            # Twist: the velocity in the frame of the vehicle, x forward and y to the left.
            speed[0] = cos * velocity_x + sin * velocity_y
            slip[0] = cos * velocity_y - sin * velocity_x
            turn_rate[0] = velocity_yaw
            health[0], time_in_goal[0] = self.health, self.time_in_goal
            ranges[0] = self.noise.added(self.lidar.ranges)
            tags[0] = self.lidar.tags
            # The target changes with the layout only.
            if written is not self.layout:
                written = self.layout
                goal_x[0], goal_y[0] = written.goal
                goal_cos[0], goal_sin[0] = math.cos(written.goal_heading / 2), math.sin(written.goal_heading / 2)

        return write

    def picture(self) -> Picture:
        """Return goal zone, lidar rays and gauges of the present state."""
        x, y, yaw = self._position.tolist()
        self.lidar.scan(self.data, x, y, math.cos(yaw), math.sin(yaw))
        return make_picture(
            position=(x, y),
            goal=(float(self.layout.goal[0]), float(self.layout.goal[1])),
            lidar=self.lidar,
            health=self.health,
            dwell=min(self.time_in_goal / DWELL_TIME, 1.0),
            time=self.data.time,
        )


def harm(force: float, timestep: float) -> float:
    """Return the loss of health by a contact force over one substep.

    A collision costs health by the momentum that it takes beyond that of the drive, CRASH_COST for all of the vehicle's
    momentum at full speed. Pushing costs health by its force.

    Args:
        force: contact force, N.
        timestep: length of the substep, s.
    """
    if force > HIT_FORCE:
        return CRASH_COST * (force - vehicle.DRIVE_FORCE) * timestep / _FULL_SPEED_MOMENTUM
    return LEANING_COST * force * timestep / vehicle.DRIVE_FORCE


def write_constants(response: Batch) -> None:
    """Write the constant fields of NavigationState."""
    response["state.target_radius"] = TARGET_RADIUS
    response["state.goal_timer.required"] = DWELL_TIME
    response["state.lidar.angle_min"] = 0.0
    response["state.lidar.angle_increment"] = lidar.ANGLE_INCREMENT
    response["state.lidar.range_max"] = lidar.RANGE_MAX


_CHANGING_FIELDS: Final = (
    "pose.position.x",
    "pose.position.y",
    "pose.orientation.w",
    "pose.orientation.z",
    "twist.linear.x",
    "twist.linear.y",
    "twist.angular.z",
    "health",
    "goal_timer.elapsed",
    "lidar.ranges",
    "lidar.tags",
)
"""Fields of the state that change from step to step, in the order in which `state_writer` unpacks them."""


def _clip(value: float, limit: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, -limit), limit)
