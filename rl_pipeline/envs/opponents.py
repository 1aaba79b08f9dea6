"""Tasks for two agents in one scene, and who plays against the one that learns."""

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
    """A task with an opponent, whom the scene itself plays unless an agent does.

    The opponent has the same spaces, and sees and acts as the learner would in its place, so that a policy that was
    trained as one can play the other.
    """

    @abstractmethod
    def opponent_observation(self, state: Batch) -> Observations:
        """What the opponent sees, as `observation` of the learner."""

    @abstractmethod
    def opponent_request(self, actions: NDArray[Any]) -> Fields:
        """Fields of the step request for the opponent's actions, as `request` of the learner's."""

    @abstractmethod
    def opponent_reset_request(self, num_envs: int) -> Fields:
        """Fields of the reset request that have an agent play the opponent."""

    @abstractmethod
    def result(self, state: Batch) -> NDArray[np.float64]:
        """How an episode that ends in this state ends for the learner: 1 won, 0.5 drawn, 0 lost; shape (N,)."""


class Opponents(Protocol):
    """Agents that play the opponents of N environments."""

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Episodes begin in these environments, shape (K,)."""

    def act(self, observations: Observations) -> NDArray[Any]:
        """Actions of the opponents, shape (N, *action shape), for what they see, shape (N, *observation shape)."""
        ...

    def end(self, environments: NDArray[np.intp], results: NDArray[np.float64]) -> None:
        """The episodes of these environments, shape (K,), have ended with these results for the learner, (K,)."""


def check_adversarial(task: Task, where: str) -> AdversarialTask:
    """The task, if it has an opponent. Raises InputError naming `where` it was asked for."""
    if not isinstance(task, AdversarialTask):
        raise InputError(f"{where}: expected a task with an opponent, such as Duel-v0, found {type(task).__name__}")
    return task


class Opposition:
    """The opponents of the environments of a task: what they do, as fields of requests.

    Args:
        task: what is played.
        opponents: who plays.

    Raises:
        InputError: the task has no opponent.
    """

    def __init__(self, task: Task, opponents: Opponents) -> None:
        self._task, self._opponents = check_adversarial(task, "opponents"), opponents

    def begin(self, environments: NDArray[np.intp], num_envs: int) -> Fields:
        """Begin episodes in these environments; fields of the reset request."""
        self._opponents.begin(environments)
        return self._task.opponent_reset_request(num_envs)

    def act(self, state: Batch) -> Fields:
        """Act on the present states; fields of the step request."""
        return self._task.opponent_request(self._opponents.act(self._task.opponent_observation(state)))

    def end(self, environments: NDArray[np.intp], state: Batch) -> None:
        """Tell the opponents how the episodes of these environments, shape (K,), have ended."""
        self._opponents.end(environments, self._task.result(state)[environments])
