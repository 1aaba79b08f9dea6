"""Drive a tracked vehicle to a goal zone and stand there, without being wrecked on the way."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.envs.task import Fields, Task
from rl_pipeline.interfaces import Batch, once_settled

MAX_SPEED: Final = 1.5
MAX_TURN_RATE: Final = 2.0
FAR: Final = 10.0
"""Distance (m) that is 1 in observations: about the side of the arena."""

# Arrays, since NumPy takes as long to make one of a Python number as to compute with it for a few environments.
_FAR, _MAX_SPEED, _MAX_TURN_RATE, _TWICE = (np.array(value) for value in (FAR, MAX_SPEED, MAX_TURN_RATE, 2.0))
_LIMITS: Final = np.array((MAX_SPEED, MAX_TURN_RATE))
_NONE, _WHOLE, _BACK, _LEAST_DWELL = (np.array(value, np.float32) for value in (0.0, 1.0, -1.0, 1e-6))
_SUCCESS_REWARD, _DAMAGE_COST, _WRECK_COST, _STEP_COST = (np.array(value) for value in (10.0, 20.0, 5.0, 0.01))


class NavigationTask(Task):
    """Stand in the goal zone for as long as its timer asks.

    Observation (8 + number of rays), each about in [-1, 1]: direction to the goal as cosine and sine of its bearing,
    its distance (over 10 m), forward speed and turn rate (over their maxima), health, share of the dwell time, whether
    the vehicle is in the zone; then how near what each lidar ray hits is, exp(-range in m), counter-clockwise from the
    first ray. Nearness tells 0.3 m from 0.6 m, which decides, better than 3 m from 6 m, which does not.

    Action in [-1, 1]: forward speed and turn rate as shares of 1.5 m/s and 2 rad/s.

    Reward: the metres by which the goal came nearer, 10 for success, -20 for health lost (all of it), -5 more for a
    wreck, the share of the dwell time gained, and -0.01 a step.

    The episode ends with success, or with health at 0.

    Args:
        num_rays: rays of the scene's lidar.
        max_episode_steps: steps after which an episode is truncated.
    """

    scene = "navigation"
    reset_service = "interfaces_pkg/NavigationReset"
    step_service = "interfaces_pkg/NavigationStep"

    def __init__(self, num_rays: int = 30, max_episode_steps: int = 300) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (8 + num_rays,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.max_episode_steps = max_episode_steps

    def request(self, actions: NDArray[Any]) -> Fields:
        """Target twists for actions of shape (N, 2)."""
        # np.clip costs several times as much on few numbers.
        twist = np.minimum(np.maximum(actions, _BACK), _WHOLE) * _LIMITS
        return {"action.linear.x": twist[:, 0], "action.angular.z": twist[:, 1]}

    def observation(self, state: Batch) -> NDArray[np.float32]:
        """Observations, shape (N, 8 + rays)."""
        ranges, speed = state.lidar.ranges, state.twist
        distance, bearing = _distance(state), _bearing(state)
        observation = np.empty((len(state), 8 + ranges.shape[1]), np.float32)
        column = observation.T
        column[0] = np.cos(bearing)
        column[1] = np.sin(bearing)
        column[2] = distance / _FAR
        column[3] = speed.linear.x / _MAX_SPEED
        column[4] = speed.angular.z / _MAX_TURN_RATE
        column[5] = state.health
        column[6] = _dwell(state)
        column[7] = distance < state.target_radius
        np.exp(-ranges, observation[:, 8:])
        return observation

    def reward(self, previous: Batch, actions: NDArray[Any], state: Batch) -> NDArray[np.float64]:
        """Rewards, shape (N,)."""
        reward: NDArray[np.float64] = _distance(previous) - _distance(state)
        reward += _dwell(state) - _dwell(previous)
        # What is rare: counting costs a quarter of what adding zeros does.
        if np.count_nonzero(success := _success(state)):
            reward += success * _SUCCESS_REWARD
        if np.count_nonzero(damage := np.maximum(previous.health - state.health, _NONE)):
            reward -= damage * _DAMAGE_COST
        if np.count_nonzero(wrecked := _wrecked(state)):
            reward -= wrecked * _WRECK_COST
        reward -= _STEP_COST
        return reward

    def terminated(self, state: Batch) -> NDArray[np.bool_]:
        """Whether the dwell time is over, or the vehicle is wrecked; shape (N,)."""
        ended: NDArray[np.bool_] = _success(state) | _wrecked(state)
        return ended

    def info(self, state: Batch) -> dict[str, NDArray[Any]]:
        """Success, distance to the goal (m) and health, each of shape (N,)."""
        found = {"is_success": _success(state), "distance": _distance(state), "health": state.health}
        return {name: values.copy() for name, values in found.items()}


@once_settled
def _success(state: Batch) -> NDArray[np.bool_]:
    success: NDArray[np.bool_] = state.goal_timer.elapsed >= state.goal_timer.required
    return success


@once_settled
def _wrecked(state: Batch) -> NDArray[np.bool_]:
    wrecked: NDArray[np.bool_] = state.health <= _NONE
    return wrecked


@once_settled
def _dwell(state: Batch) -> NDArray[np.float64]:
    timer = state.goal_timer
    share: NDArray[np.float64] = np.minimum(timer.elapsed / np.maximum(timer.required, _LEAST_DWELL), _WHOLE)
    return share


@once_settled
def _offset(state: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From the vehicle to the goal's centre along x and y of the arena, in m."""
    here, goal = state.pose.position, state.target.position
    return goal.x - here.x, goal.y - here.y


@once_settled
def _distance(state: Batch) -> NDArray[np.float64]:
    """Distance from the vehicle to the goal's centre, in m."""
    distance: NDArray[np.float64] = np.hypot(*_offset(state))
    return distance


def _bearing(state: Batch) -> NDArray[np.float64]:
    """Direction of the goal in the frame of the vehicle, in rad, positive to the left."""
    (x, y), turn = _offset(state), state.pose.orientation
    bearing: NDArray[np.float64] = np.arctan2(y, x) - _TWICE * np.arctan2(turn.z, turn.w)
    return bearing
