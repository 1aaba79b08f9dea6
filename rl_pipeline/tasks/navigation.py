"""Drive a tracked vehicle to a goal zone and stand there, without being wrecked on the way."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.envs.task import Fields, Task
from rl_pipeline.interfaces import Batch

MAX_SPEED: Final = 1.5
MAX_TURN_RATE: Final = 2.0
FAR: Final = 10.0
"""Distance (m) that is 1 in observations: about the side of the arena."""


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
        actions = np.minimum(np.maximum(actions, -1.0), 1.0)  # np.clip costs several times as much on few numbers
        return {"action.linear.x": actions[:, 0] * MAX_SPEED, "action.angular.z": actions[:, 1] * MAX_TURN_RATE}

    def observation(self, state: Batch) -> NDArray[np.float32]:
        """Observations, shape (N, 8 + rays)."""
        ranges = state.lidar.ranges
        bearing, distance = _bearing(state), _distance(state)
        observation = np.empty((len(state), 8 + ranges.shape[1]), np.float32)
        np.cos(bearing, out=observation[:, 0], casting="same_kind")
        np.sin(bearing, out=observation[:, 1], casting="same_kind")
        observation[:, 2] = distance / FAR
        observation[:, 3] = state.twist.linear.x / MAX_SPEED
        observation[:, 4] = state.twist.angular.z / MAX_TURN_RATE
        observation[:, 5] = state.health
        observation[:, 6] = _dwell(state)
        observation[:, 7] = distance < state.target_radius
        np.exp(-ranges, out=observation[:, 8:], casting="same_kind")
        return observation

    def reward(self, previous: Batch, actions: NDArray[Any], state: Batch) -> NDArray[np.float64]:
        """Rewards, shape (N,)."""
        progress = _distance(previous) - _distance(state)
        damage = np.maximum(previous.health - state.health, 0.0)
        dwell = _dwell(state) - _dwell(previous)
        outcome = 10.0 * _success(state) - 5.0 * _wrecked(state)
        reward: NDArray[np.float64] = progress - 20.0 * damage + dwell + outcome - 0.01
        return reward

    def terminated(self, state: Batch) -> NDArray[np.bool_]:
        """Whether the dwell time is over, or the vehicle is wrecked; shape (N,)."""
        ended: NDArray[np.bool_] = _success(state) | _wrecked(state)
        return ended

    def info(self, state: Batch) -> dict[str, NDArray[Any]]:
        """Success, distance to the goal (m) and health, each of shape (N,)."""
        return {"is_success": _success(state), "distance": _distance(state), "health": state.health.copy()}


def _success(state: Batch) -> NDArray[np.bool_]:
    success: NDArray[np.bool_] = state.goal_timer.elapsed >= state.goal_timer.required
    return success


def _wrecked(state: Batch) -> NDArray[np.bool_]:
    wrecked: NDArray[np.bool_] = state.health <= 0.0
    return wrecked


def _dwell(state: Batch) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.minimum(state.goal_timer.elapsed / np.maximum(state.goal_timer.required, 1e-6), 1.0)
    return share


def _distance(state: Batch) -> NDArray[np.float64]:
    """Distance from the vehicle to the goal's centre, in m."""
    here, goal = state.pose.position, state.target.position
    distance: NDArray[np.float64] = np.hypot(goal.x - here.x, goal.y - here.y)
    return distance


def _bearing(state: Batch) -> NDArray[np.float64]:
    """Direction of the goal in the frame of the vehicle, in rad, positive to the left."""
    here, goal, turn = state.pose.position, state.target.position, state.pose.orientation
    heading = 2.0 * np.arctan2(turn.z, turn.w)
    bearing: NDArray[np.float64] = np.arctan2(goal.y - here.y, goal.x - here.x) - heading
    return bearing
