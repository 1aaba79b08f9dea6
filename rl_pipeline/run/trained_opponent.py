"""A trained agent as the opponent of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm

from rl_pipeline.config import Config
from rl_pipeline.envs.registration import make_task
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.lookup import find_model
from rl_pipeline.experiment.model_files import ModelFile
from rl_pipeline.run.rehearsal import rehearse
from rl_pipeline.run.selection import config_of_model


class TrainedOpponent:
    """One agent that plays the opponents of all environments.

    Args:
        agent: what acts; the normaliser of its environments counts.
        deterministic: whether it takes its best action, or samples.
    """

    def __init__(self, agent: BaseAlgorithm, deterministic: bool) -> None:
        self._agent, self._deterministic = agent, deterministic
        self._normalizer = agent.get_vec_normalize_env()

    def begin(self, environments: NDArray[np.intp]) -> None:
        """It is always the same."""

    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Actions, shape (N, *action shape), for observations of shape (N, *observation shape)."""
        if self._normalizer is not None:
            observations = np.asarray(self._normalizer.normalize_obs(observations))
        return self._agent.predict(observations, deterministic=self._deterministic)[0]

    def end(self, environments: NDArray[np.intp], results: NDArray[np.float64]) -> None:
        """It is not rated."""


def evaluation_opponent(config: Config) -> TrainedOpponent | None:
    """The model that `evaluation.opponent` names, as an opponent in the configured environment; None: it names none.

    Raises:
        InputError: there is no such model, or it does not fit the environment.
    """
    reference, where = config.evaluation.opponent, "evaluation.opponent"
    if reference is None:
        return None
    path = find_model(reference, config.experiment.directory, where)
    task = make_task(config.environment.id, **config.environment.env_config or {})
    trained = config_of_model(path)
    check_opponent_wrappers(trained, where)
    model = rehearse(trained, task.observation_space, task.action_space)
    ModelFile.open(path).load_into(model)
    return TrainedOpponent(model, config.evaluation.deterministic)


def check_opponent_wrappers(config: Config, where: str) -> None:
    """Make sure that what an opponent observes can be made of one observation alone.

    Raises `InputError` naming `where` when its wrappers remember earlier ones, or clip.
    """
    if others := [name for name, given in config.wrappers.items() if given and name != "normalize"]:
        raise InputError(f"{where}: of the wrappers an opponent can only have normalize, found {', '.join(others)}")
