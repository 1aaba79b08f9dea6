"""Tests of the contract of tasks, to be mixed into a test class of the user's own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_pipeline.envs.observations import arrays_of, take_rows
from rl_pipeline.envs.received_states import attach_last_actions
from rl_pipeline.envs.task import Task
from rl_pipeline.interfaces import Batch, load_interfaces


class TaskTestMixin:
    """Tests of the contract of `rl_pipeline.envs.task`, without a simulator.

    Mix it into a test class and override `make_task`; pytest finds the rest:

        class TestMyTask(TaskTestMixin):
            def make_task(self):
                return MyTask()

            lengths = {"lidar.ranges": 30, "lidar.tags": 30}  # of the state's sequences, if it has any

    Override `make_states` as well when a task needs states that are consistent.
    """

    lengths: Mapping[str, int] = {}
    num_envs: int = 5

    @abstractmethod
    def make_task(self) -> Task:
        """Make the task under test."""

    def make_states(self, task: Task, num_envs: int, seed: int) -> Batch:
        """Make states with every number drawn from [0, 1), which most fields can take."""
        service = load_interfaces().service(task.step_service)
        lengths = {f"state.{name}": length for name, length in self.lengths.items()}
        states: Batch = service.response.layout(lengths).empty(num_envs).state
        rng = np.random.default_rng(seed)
        _fill(states.array, rng)
        attach_last_actions(states, self._actions(task, num_envs))
        if task.image is not None:
            states.attach("image", rng.integers(0, 256, (num_envs, *task.image.shape), np.uint8))
        return states

    def test_request_fields_are_of_the_step_service(self) -> None:
        """`request` names fields of the service's request, with values that fit."""
        task = self.make_task()
        request = load_interfaces().service(task.step_service).request.layout().empty(self.num_envs)
        for name, value in task.request(self._actions(task)).items():
            request[name] = value

    def test_reset_request_fields_are_of_the_reset_service(self) -> None:
        """`reset_request` names fields of the service's request, with values that fit."""
        task = self.make_task()
        request = load_interfaces().service(task.reset_service).request.layout().empty(self.num_envs)
        for name, value in task.reset_request(self.num_envs).items():
            request[name] = value

    def test_observations_fit_the_observation_space(self) -> None:
        """`observation` gives (N, *shape) in the space's dtype, for a Dict space under each of its keys."""
        task = self.make_task()
        observation = task.observation(self.make_states(task, self.num_envs, 0))
        space = task.observation_space
        parts = space.spaces if isinstance(space, spaces.Dict) else {"": space}
        arrays = observation if isinstance(observation, dict) else {"": observation}
        assert arrays.keys() == parts.keys()
        for key, part in parts.items():
            assert arrays[key].shape == (self.num_envs, *(part.shape or ()))
            assert arrays[key].dtype == part.dtype
            assert all(part.contains(row) for row in arrays[key]), f"an observation outside its space {key}".rstrip()

    def test_rewards_ends_and_infos_are_one_an_environment(self) -> None:
        """`reward`, `terminated` and `info` give arrays of leading axis N."""
        task = self.make_task()
        before, after = (self.make_states(task, self.num_envs, seed) for seed in (0, 1))
        reward, terminated = task.reward(before, self._actions(task), after), task.terminated(after)
        assert reward.shape == (self.num_envs,)
        assert np.isfinite(reward).all()
        assert terminated.shape == (self.num_envs,)
        assert terminated.dtype == np.bool_
        assert all(len(value) == self.num_envs for value in task.info(after).values())

    def test_environments_do_not_see_each_other(self) -> None:
        """The results of an environment are the same alone and in a batch."""
        task = self.make_task()
        # In a batch.
        before, after = (self.make_states(task, self.num_envs, seed) for seed in (0, 1))
        actions = self._actions(task)
        rewards, observations = task.reward(before, actions, after), task.observation(after)
        # Alone.
        for index in range(self.num_envs):
            only = np.array([index])
            alone = task.reward(before.take(only), actions[only], after.take(only))
            np.testing.assert_allclose(alone, rewards[only], rtol=1e-6)
            parts = zip(
                arrays_of(task.observation(after.take(only))), arrays_of(take_rows(observations, only)), strict=True
            )
            for own, other in parts:
                np.testing.assert_allclose(own, other, rtol=1e-6)

    def test_states_are_left_as_they_were(self) -> None:
        """A task reads states and does not write them."""
        task = self.make_task()
        before, after = (self.make_states(task, self.num_envs, seed) for seed in (0, 1))
        copies = before.array.copy(), after.array.copy()
        task.observation(after)
        task.reward(before, self._actions(task), after)
        task.terminated(after)
        task.info(after)
        assert (before.array == copies[0]).all()
        assert (after.array == copies[1]).all()

    def _actions(self, task: Task, num_envs: int = 0) -> NDArray[Any]:
        task.action_space.seed(0)
        return np.stack([task.action_space.sample() for _ in range(num_envs or self.num_envs)])


def _fill(array: NDArray[Any], rng: np.random.Generator) -> None:
    """Draw every floating-point number of a structured array from [0, 1)."""
    for name in array.dtype.names or ():
        column = array[name]
        if column.dtype.names:
            _fill(column, rng)
        elif np.issubdtype(column.dtype, np.floating):
            column[...] = rng.random(column.shape)
