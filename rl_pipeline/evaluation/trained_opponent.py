"""A trained agent as the opponent of the agent under evaluation."""

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
        policy: acts, with its preprocessing.
        num_envs: N.
        deterministic: take the best action rather than a sample.
    """

    def __init__(self, policy: Policy, num_envs: int, deterministic: bool) -> None:
        self._policy = policy
        self._deterministic = deterministic
        self._starts: NDArray[np.bool_] = np.ones(num_envs, np.bool_)

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Clear frame stacks and recurrent states of these environments, whose episode begins."""
        self._starts[environments] = True

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return actions, shape (N, *action shape), for observations of shape (N, *observation shape)."""
        starts = self._starts
        self._starts = np.zeros_like(starts)
        return self._policy.predict(observations, episode_starts=starts, deterministic=self._deterministic)

    def end(self, environments: NDArray[np.intp], results: NDArray[np.float64]) -> None:
        """No-op: this opponent is not rated."""


def evaluation_opponent(config: Config, num_envs: int = 1) -> TrainedOpponent | None:
    """Load the model that `evaluation.opponent` names as an opponent in N environments; None if it names none.

    Raises:
        InputError: there is no such model, or it does not fit the environment.
    """
    reference, where = config.evaluation.opponent, "evaluation.opponent"
    if reference is None:
        return None
    file = ModelFile.open(find_model(reference, config.experiment.directory, where))
    # The model brings its algorithm and wrappers; it plays in the environment of this configuration.
    own = config_of_model(file, use=Use.POLICY).model_copy(update={"environment": config.environment})
    return TrainedOpponent(Policy(own, file, num_envs), num_envs, config.evaluation.deterministic)
