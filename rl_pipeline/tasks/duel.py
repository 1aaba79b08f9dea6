"""Destroy the other vehicle of the duel scene before it destroys yours."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.envs.opponents import AdversarialTask
from rl_pipeline.envs.task import Fields
from rl_pipeline.interfaces import Batch

MAX_SPEED: Final = 1.5
MAX_TURN_RATE: Final = 2.0
MAX_TURRET_RATE: Final = 2.5
FAR: Final = 10.0
"""Distance (m) that is 1 in observations: about the side of the arena."""

_OWN_FEATURES: Final = 21


class DuelTask(AdversarialTask):
    """Win a duel against the scene's bot, or against another agent.

    Observation (21 + number of rays), each about in [-1, 1], all as seen from the vehicle that acts: cosine and sine of
    the opponent's bearing from the gun and from the hull, its distance (over 10 m), whether it is in sight; cosine and
    sine of the turret's heading, speed and turn rate (over their maxima), health, time to reload (s); the opponent's
    velocity forward and to the left (over the maximum), cosine and sine of its heading, cosine and sine of the bearing
    of this vehicle from its gun, its health and time to reload; the chance that this vehicle's gun hits (a bump of 0.1
    rad around the bearing); then the nearness of each lidar hit, exp(-range in m), counter-clockwise from ahead.

    Action in [-1, 1]: forward speed, turn rate and turret rate as shares of 1.5 m/s, 2 and 2.5 rad/s; fire above 0.

    Reward: 5 for all of the opponent's health, -5 for all of one's own, 5 for the win, -5 for the loss, 0.3 for each
    radian by which the gun's aim came nearer, and -0.005 a step.

    The episode ends when either is destroyed. `is_success` is a win.

    Args:
        num_rays: rays of each lidar of the scene.
        max_episode_steps: steps after which a duel is a draw.
    """

    scene = "duel"
    reset_service = "interfaces_pkg/DuelReset"
    step_service = "interfaces_pkg/DuelStep"

    def __init__(self, num_rays: int = 16, max_episode_steps: int = 300) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (_OWN_FEATURES + num_rays,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.max_episode_steps = max_episode_steps

    def request(self, actions: NDArray[Any]) -> Fields:
        """Return the orders of blue for actions of shape (N, 4)."""
        return _orders("blue", actions)

    def opponent_request(self, actions: NDArray[Any]) -> Fields:
        """Return the orders of red for actions of shape (N, 4)."""
        return _orders("red", actions)

    def opponent_reset_request(self, num_envs: int) -> Fields:
        """Have red wait for orders."""
        return {"red_acts": True}

    def observation(self, state: Batch) -> NDArray[np.float32]:
        """Return the observation of blue, shape (N, 21 + rays)."""
        return _observation(state.blue, state.red, state.in_sight)

    def opponent_observation(self, state: Batch) -> NDArray[np.float32]:
        """Return the observation of red, shape (N, 21 + rays)."""
        return _observation(state.red, state.blue, state.in_sight)

    def reward(self, previous: Batch, actions: NDArray[Any], state: Batch) -> NDArray[np.float64]:
        """Return the rewards of blue, shape (N,)."""
        dealt = previous.red.health - state.red.health
        taken = previous.blue.health - state.blue.health
        aim = np.abs(_aim(previous.blue, previous.red)) - np.abs(_aim(state.blue, state.red))
        outcome = 5.0 * _destroyed(state.red) - 5.0 * _destroyed(state.blue)
        reward: NDArray[np.float64] = 5.0 * (dealt - taken) + outcome + 0.3 * aim - 0.005
        return reward

    def terminated(self, state: Batch) -> NDArray[np.bool_]:
        """Return True where either vehicle is destroyed; shape (N,)."""
        ended: NDArray[np.bool_] = _destroyed(state.blue) | _destroyed(state.red)
        return ended

    def result(self, state: Batch) -> NDArray[np.float64]:
        """Return 1 where red alone is destroyed, 0 where blue alone is, else 0.5; shape (N,)."""
        result: NDArray[np.float64] = 0.5 + 0.5 * _destroyed(state.red) - 0.5 * _destroyed(state.blue)
        return result

    def info(self, state: Batch) -> dict[str, NDArray[Any]]:
        """Return True where blue has won, and the remaining health of both, each of shape (N,)."""
        return {
            "is_success": self.result(state) == 1.0,
            "health": state.blue.health.copy(),
            "opponent_health": state.red.health.copy(),
        }


def _orders(side: str, actions: NDArray[Any]) -> Fields:
    actions = np.minimum(np.maximum(actions, -1.0), 1.0)  # np.clip costs several times as much on few numbers
    return {
        f"{side}.drive.linear.x": actions[:, 0] * MAX_SPEED,
        f"{side}.drive.angular.z": actions[:, 1] * MAX_TURN_RATE,
        f"{side}.turret_rate": actions[:, 2] * MAX_TURRET_RATE,
        f"{side}.fire": actions[:, 3] > 0.0,
    }


def _observation(own: Batch, foe: Batch, in_sight: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the observation of the vehicle `own`: of itself and of the other, `foe`."""
    # Directions to the other vehicle, as seen from the hull and from the gun.
    ranges = own.lidar.ranges
    heading, foe_heading = _heading(own), _heading(foe)
    bearing, distance = _bearing(own, foe), _distance(own, foe)
    aim = _wrap_angle(bearing - heading - own.turret)
    # The other's velocity, turned from its own frame into that of this vehicle.
    speed, slip = foe.twist.linear.x / MAX_SPEED, foe.twist.linear.y / MAX_SPEED
    turned = foe_heading - heading
    cos, sin = np.cos(turned), np.sin(turned)
    columns = (
        *_direction(aim),
        *_direction(bearing - heading),
        distance / FAR,
        in_sight,
        *_direction(own.turret),
        own.twist.linear.x / MAX_SPEED,
        own.twist.angular.z / MAX_TURN_RATE,
        own.health,
        own.reload,
        cos * speed - sin * slip,
        sin * speed + cos * slip,
        cos,
        sin,
        *_direction(_aim(foe, own)),
        foe.health,
        foe.reload,
        np.exp(-((aim / 0.1) ** 2)),
    )
    # One float32 array, filled column by column.
    observation = np.empty((len(own), _OWN_FEATURES + ranges.shape[1]), np.float32)
    for index, column in enumerate(columns):
        observation[:, index] = column
    np.exp(-ranges, out=observation[:, _OWN_FEATURES:], casting="same_kind")
    return observation


def _destroyed(vehicle: Batch) -> NDArray[np.bool_]:
    destroyed: NDArray[np.bool_] = vehicle.health <= 0.0
    return destroyed


def _aim(own: Batch, foe: Batch) -> NDArray[np.float64]:
    """Return the angle by which the gun points to the right of the other vehicle, rad, from -pi to pi."""
    return _wrap_angle(_bearing(own, foe) - _heading(own) - own.turret)


def _bearing(own: Batch, foe: Batch) -> NDArray[np.float64]:
    """Return the direction of the other vehicle in the frame of the arena, rad."""
    here, there = own.pose.position, foe.pose.position
    bearing: NDArray[np.float64] = np.arctan2(there.y - here.y, there.x - here.x)
    return bearing


def _distance(own: Batch, foe: Batch) -> NDArray[np.float64]:
    here, there = own.pose.position, foe.pose.position
    distance: NDArray[np.float64] = np.hypot(there.x - here.x, there.y - here.y)
    return distance


def _heading(vehicle: Batch) -> NDArray[np.float64]:
    turn = vehicle.pose.orientation
    heading: NDArray[np.float64] = 2.0 * np.arctan2(turn.z, turn.w)
    return heading


def _direction(angle: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.cos(angle), np.sin(angle)


def _wrap_angle(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same angles from -pi to pi."""
    wrapped: NDArray[np.float64] = np.remainder(angle + np.pi, 2 * np.pi) - np.pi
    return wrapped
