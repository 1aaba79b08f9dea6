"""Tasks for two agents in one scene, and the agents that play against the one that learns."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.envs.observations import Observations
from rl_pipeline.envs.task import Fields, Task
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Batch


class AdversarialTask(Task):
    """A task with an opponent, which the scene plays unless an agent does.

    The opponent has the same spaces and the same point of view as the learner, so that a policy trained as one of them
    can play the other.
    """

    @abstractmethod
    def opponent_observation(self, state: Batch) -> Observations:
        """Return the observations of the opponent, as `observation` does for the learner."""

    @abstractmethod
    def opponent_request(self, actions: NDArray[Any]) -> Fields:
        """Return the fields of the step request for the opponent's actions, as `request` does for the learner's."""

    @abstractmethod
    def opponent_reset_request(self, num_envs: int) -> Fields:
        """Return the fields of the reset request that let an agent play the opponent."""

    @abstractmethod
    def result(self, state: Batch) -> NDArray[np.float64]:
        """Return the learner's results of episodes that end in this state, (N,): 1 won, 0.5 drawn, 0 lost."""


class Opponents(Protocol):
    """Agents that play the opponents of N environments."""

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Episodes begin in these environments, shape (K,)."""

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return the opponents' actions, (N, *action shape), for their observations, (N, *observation shape)."""
        ...

    def end(self, environments: NDArray[np.intp], results: NDArray[np.float64]) -> None:
        """Episodes of these environments, shape (K,), have ended with these results for the learner, (K,)."""


def check_adversarial(task: Task, where: str) -> AdversarialTask:
    """Return the task if it has an opponent; else raise InputError that names the key `where`."""
    if not isinstance(task, AdversarialTask):
        raise InputError(f"{where}: expected a task with an opponent, such as Duel-v0, found {type(task).__name__}")
    return task


class Opposition:
    """Opponents of the environments of a task, whose actions become fields of requests.

    Args:
        task: a task with an opponent.
        opponents: the agents that play.

    Raises:
        InputError: the task has no opponent.
    """

    def __init__(self, task: Task, opponents: Opponents) -> None:
        self._task = check_adversarial(task, "opponents")
        self._opponents = opponents

    def begin(self, environments: NDArray[np.intp], num_envs: int) -> Fields:
        """Begin episodes in these environments; returns fields of the reset request."""
        self._opponents.begin(environments)
        return self._task.opponent_reset_request(num_envs)

    def act(self, state: Batch) -> Fields:
        """Act on the present states; returns fields of the step request."""
        return self._task.opponent_request(self._opponents.act(self._task.opponent_observation(state)))

    def end(self, environments: NDArray[np.intp], state: Batch) -> None:
        """Report to the opponents the results of episodes that ended in these environments, shape (K,)."""
        self._opponents.end(environments, self._task.result(state)[environments])
