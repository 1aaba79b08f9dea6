"""Trained policies with their preprocessing: raw observations in, actions out, without a simulator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.envs.observations import apply
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.stub_vec_env import StubVecEnv, build_for_spaces
from rl_pipeline.evaluation.trust import config_of_model
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import model_of


class Policy:
    """Trained policy that acts on raw observations; it applies wrappers and carries recurrent states itself.

    Args:
        config: the configuration that the model was trained with.
        file: the model.
        num_envs: number of environments that it acts in at once, N.

    Attributes:
        config: the configuration.
        model: the Stable-Baselines3 model; it acts on preprocessed observations.
        observation_space: of one raw observation.
        action_space: of one action.

    Raises:
        InputError: the model does not fit its configuration.
    """

    def __init__(self, config: Config, file: ModelFile, num_envs: int = 1) -> None:
        self.config = config
        self.observation_space, self.action_space = resolve_spaces(config)
        # The model and its wrappers, built on a stub in place of the simulators.
        self._stub = StubVecEnv(self.observation_space, self.action_space, num_envs)
        self.model: BaseAlgorithm = build_for_spaces(config, self.observation_space, self.action_space, self._stub)
        file.load_into(self.model)
        self.reset()

    def reset(self) -> None:
        """Begin an episode in every environment: the next observations are its first."""
        self._begun = False
        self._state: Any = None
        self._actions: Any = None

    def predict(
        self, observations: Any, *, episode_starts: NDArray[np.bool_] | None = None, deterministic: bool = True
    ) -> NDArray[Any]:
        """Return actions for the observations that follow the last actions.

        Args:
            observations: shape (N, *observation shape), or without the first axis for N = 1; or a dictionary of such.
            episode_starts: (N,) bool, true where an episode begins with them; None: only after `reset`.
            deterministic: take the best action rather than a sample.

        Returns:
            Shape (N, *action shape), without the first axis if the observations have none.
        """
        batch, single = _add_batch_axis(observations, self.observation_space)
        starts = np.zeros(self._stub.num_envs, np.bool_) if episode_starts is None else np.asarray(episode_starts)
        processed = self.preprocess(batch, starts)
        # The first observations after a reset begin episodes in all environments.
        if self._actions is None:
            starts = np.ones_like(starts)
        actions, self._state = self.model.predict(
            processed, state=self._state, episode_start=starts, deterministic=deterministic
        )
        self._actions = actions
        return np.asarray(actions[0] if single else actions)

    def preprocess(self, observations: Any, episode_starts: NDArray[np.bool_]) -> Any:
        """Return observations, shape (N, ...), as the model receives them: stacked, clipped, normalised."""
        # `get_env` of Stable-Baselines3 may return None, for models without environments.
        venv: VecEnv | None = self.model.get_env()
        assert venv is not None, "the model was built on the stub"
        # The wrappers around the stub process the observations that it is given to return.
        self._stub.observations = observations
        self._stub.dones = episode_starts
        # A step with the last actions tells wrappers such as frame stacks that the episodes go on.
        if not self._begun:
            self._begun = True
            return venv.reset()
        return venv.step(self._actions)[0]


def load_policy(
    experiment: Path | str, model: str = "best_model", *, num_envs: int = 1, overrides: Sequence[str] = ()
) -> Policy:
    """Load the policy of an experiment folder, or of a model file that brings its configuration.

    Args:
        experiment: the folder, or a model file. For a file without a configuration, use `Policy`.
        model: model of the folder: `best_model`, `model`, or the name of a checkpoint.
        num_envs: number of environments to act in at once.
        overrides: put over its configuration; `modules=[my_tasks]` allows the code that a file names.

    Raises:
        InputError: there is no such model, it does not fit its configuration, or it would run code of this machine that
            the overrides do not name.
    """
    # A model file brings its configuration.
    path = Path(experiment)
    if path.is_file():
        file = ModelFile.open(path)
        return Policy(config_of_model(file, overrides, NO_MACHINE_FILE), file, num_envs)
    # In an experiment folder, the configuration lies beside the models.
    folder = ExperimentFolder(path)
    if not folder.config.is_file():
        raise InputError(f"{path} is no experiment: it has no config.yaml")
    config = load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE, overrides=overrides)
    return Policy(config, ModelFile.open(model_of(folder, model)), num_envs)


def _add_batch_axis(observations: Any, space: spaces.Space[Any]) -> tuple[Any, bool]:
    """Return observations with a leading axis, and whether it was added."""
    if isinstance(space, spaces.Dict):
        arrays = {key: np.asarray(value) for key, value in observations.items()}
        single = all(array.shape == space[key].shape for key, array in arrays.items())
        return (apply(lambda array: array[np.newaxis], arrays) if single else arrays), single
    array = np.asarray(observations)
    single = space.shape is not None and array.shape == space.shape
    return (array[np.newaxis] if single else array), single
