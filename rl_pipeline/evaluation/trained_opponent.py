"""A trained agent as the opponent of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.config import Config
from rl_pipeline.envs.observations import Observations
from rl_pipeline.evaluation.policy import Policy
from rl_pipeline.evaluation.trust import Use, config_of_model
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.lookup import find_model


class TrainedOpponent:
    """One policy that plays the opponents of N environments.

    Args:
        policy: what acts, in its wrappers.
        num_envs: N.
        deterministic: whether it takes its best action, or samples.
    """

    def __init__(self, policy: Policy, num_envs: int, deterministic: bool) -> None:
        self._policy, self._deterministic = policy, deterministic
        self._starts: NDArray[np.bool_] = np.ones(num_envs, np.bool_)

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Forget what was seen in episodes before."""
        self._starts[environments] = True

    def act(self, observations: Observations) -> NDArray[Any]:
        """Actions, shape (N, *action shape), for observations of shape (N, *observation shape)."""
        starts, self._starts = self._starts, np.zeros_like(self._starts)
        return self._policy.predict(observations, episode_starts=starts, deterministic=self._deterministic)

    def end(self, environments: NDArray[np.intp], results: NDArray[np.float64]) -> None:
        """It is not rated."""


def evaluation_opponent(config: Config, num_envs: int = 1) -> TrainedOpponent | None:
    """The model that `evaluation.opponent` names, as an opponent in N configured environments; None: it names none.

    Raises:
        InputError: there is no such model, or it does not fit the environment.
    """
    reference, where = config.evaluation.opponent, "evaluation.opponent"
    if reference is None:
        return None
    path = find_model(reference, config.experiment.directory, where)
    own = config_of_model(ModelFile.open(path), use=Use.POLICY).model_copy(update={"environment": config.environment})
    policy = Policy(own, ModelFile.open(path), num_envs)
    return TrainedOpponent(policy, num_envs, config.evaluation.deterministic)
