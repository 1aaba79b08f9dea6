"""A trained policy with its preprocessing: raw observations in, actions out, no simulator needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rl_pipeline.algorithms.build import build
from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.envs.factory import checked_spaces
from rl_pipeline.envs.observations import apply, take_rows
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.trust import config_of_model
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import model_of
from rl_pipeline.wrappers.wrapping import wrapped


def rehearse(
    config: Config,
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    stage: Stage | None = None,
) -> BaseAlgorithm:
    """The model that the configuration makes for these spaces, on the CPU, its environments a stage in its wrappers.

    Args:
        config: the whole configuration.
        observation_space: of one environment, unwrapped.
        action_space: of one environment.
        stage: in place of the environments; None: as many as configured.

    Raises:
        InputError: algorithm or wrappers do not suit the spaces, or refuse a setting.
    """
    if stage is None:
        stage = Stage(observation_space, action_space, config.simulation.n_environments)
    # On the CPU and not for training: what is said about devices and batch sizes is to be said once, by the real one.
    training = config.training.model_copy(update={"device": "cpu"})
    venv = wrapped(config, stage, training=False)
    return build(config.model_copy(update={"training": training}), venv, for_training=False)


class Stage(VecEnv):
    """Environments that observe what they are told to: wrappers around them do their work on any observation.

    Attributes:
        observations: what the next step or reset returns, shape (N, *observation shape).
        dones: (N,) bool, where those are the first of an episode.
    """

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], num_envs: int = 1
    ) -> None:
        self.observations: Any = None
        self.dones: NDArray[np.bool_] = np.zeros(num_envs, np.bool_)
        super().__init__(num_envs, observation_space, action_space)

    def reset(self) -> Any:
        """The observations."""
        return self.observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Nothing moves."""

    def step_wait(self) -> VecEnvStepReturn:
        """The observations, no reward, and where episodes began."""
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(self.dones):
            infos[index]["terminal_observation"] = take_rows(self.observations, int(index))
        return self.observations, np.zeros(self.num_envs, np.float32), self.dones.copy(), infos

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """None of anything, for each environment asked."""
        return [None for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Nothing is kept."""

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """None of anything, for each environment asked."""
        return [None for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Whether environments stand in a Gymnasium wrapper: none does."""
        return [False for _ in self._get_indices(indices)]


class Policy:
    """Acts on observations as the environment makes them, one after another; wrappers and recurrence are inside.

    Args:
        config: what the model was trained with.
        file: the model.
        num_envs: how many environments it acts in at once, N.

    Attributes:
        config: the same.
        model: the Stable-Baselines3 model, which acts on preprocessed observations.
        observation_space: of one raw observation.
        action_space: of one action.

    Raises:
        InputError: the model does not fit its configuration.
    """

    def __init__(self, config: Config, file: ModelFile, num_envs: int = 1) -> None:
        self.config = config
        self.observation_space, self.action_space = checked_spaces(config)
        self._stage = Stage(self.observation_space, self.action_space, num_envs)
        self.model: BaseAlgorithm = rehearse(config, self.observation_space, self.action_space, self._stage)
        file.load_into(self.model)
        self.reset()

    def reset(self) -> None:
        """Begin an episode in every environment: the next observations are the first."""
        self._begun = False
        self._state: Any = None
        self._actions: Any = None

    def predict(
        self, observations: Any, *, episode_starts: NDArray[np.bool_] | None = None, deterministic: bool = True
    ) -> NDArray[Any]:
        """Actions for the observations that follow the last actions.

        Args:
            observations: shape (N, *observation shape), or of a single one for N = 1; dictionaries likewise.
            episode_starts: (N,) bool, where an episode begins with them; None: only after `reset`.
            deterministic: the best action rather than a sample.

        Returns:
            Shape (N, *action shape), or of a single one as the observations.
        """
        batch, single = _batched(observations, self.observation_space)
        starts = np.zeros(self._stage.num_envs, np.bool_) if episode_starts is None else np.asarray(episode_starts)
        processed = self.preprocess(batch, starts)
        if self._actions is None:
            starts = np.ones_like(starts)
        actions, self._state = self.model.predict(
            processed, state=self._state, episode_start=starts, deterministic=deterministic
        )
        self._actions = actions
        return np.asarray(actions[0] if single else actions)

    def preprocess(self, observations: Any, episode_starts: NDArray[np.bool_]) -> Any:
        """What the model sees of a batch of observations, shape (N, ...): stacked, clipped, normalised."""
        venv: VecEnv | None = self.model.get_env()
        assert venv is not None, "the model was rehearsed on a stage"
        self._stage.observations, self._stage.dones = observations, episode_starts
        if not self._begun:
            self._begun = True
            return venv.reset()
        return venv.step(self._actions)[0]


def load_policy(
    experiment: Path | str, model: str = "best_model", *, num_envs: int = 1, overrides: Sequence[str] = ()
) -> Policy:
    """The policy of an experiment's folder, or of a model file that brings its configuration.

    Args:
        experiment: the folder, or a model file. `Policy` takes a file that brings none, with a configuration for it.
        model: which model of the folder: `best_model`, `model`, or a checkpoint's name.
        num_envs: environments it is to act in at once.
        overrides: put over its configuration, such as `modules=[my_tasks]` to allow the code that a file names.

    Raises:
        InputError: there is no such model, it does not fit its configuration, or it would run code of this machine that
            the overrides do not name.
    """
    path = Path(experiment)
    if path.is_file():
        file = ModelFile.open(path)
        return Policy(config_of_model(file, overrides, NO_MACHINE_FILE), file, num_envs)
    folder = ExperimentFolder(path)
    if not folder.config.is_file():
        raise InputError(f"{path} is no experiment: it has no config.yaml")
    config = load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE, overrides=overrides)
    return Policy(config, ModelFile.open(model_of(folder, model)), num_envs)


def _batched(observations: Any, space: spaces.Space[Any]) -> tuple[Any, bool]:
    """Observations with a leading axis, and whether it was added."""
    if isinstance(space, spaces.Dict):
        arrays = {key: np.asarray(value) for key, value in observations.items()}
        single = all(array.shape == space[key].shape for key, array in arrays.items())
        return (apply(lambda array: array[np.newaxis], arrays) if single else arrays), single
    array = np.asarray(observations)
    single = space.shape is not None and array.shape == space.shape
    return (array[np.newaxis] if single else array), single
