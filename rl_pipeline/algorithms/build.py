"""Build a Stable-Baselines3 model from the configuration, and check it before any simulator starts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_pipeline.algorithms.action_noise import make_action_noise
from rl_pipeline.algorithms.architecture import check_policy, default_policy, policy_kwargs
from rl_pipeline.algorithms.double_buffering import check_double_buffer, double_buffered
from rl_pipeline.algorithms.hindsight import check_goals, delay_updates_until_episode_end
from rl_pipeline.algorithms.hyperparameters import checked_hyperparameters
from rl_pipeline.algorithms.registration import AlgorithmEntry, find_algorithm
from rl_pipeline.algorithms.torch_setup import avoid_compiler_import, limit_threads, resolve_device
from rl_pipeline.algorithms.update_size import fit_rollout
from rl_pipeline.config.schema import AlgorithmConfig, Config
from rl_pipeline.envs.registration import faulty_environment
from rl_pipeline.envs.spaces import MIN_IMAGE_SIDE, small_image
from rl_pipeline.errors import InputError, collected, raise_together

DEFAULT_QUANTILES: Final = 25
"""Default of `n_quantiles` in the policies of TQC."""


def check(config: Config) -> AlgorithmEntry:
    """Check name, hyperparameters and architecture of the algorithm, without an environment.

    Raises:
        InputError: a line for each key at fault; `UnknownNameError` for a single unknown name.
    """
    entry = find_algorithm(config.algorithm.name)
    algorithm = entry.load()
    # Report the problems of all sections together.
    problems: list[InputError] = []
    with collected(problems):
        checked_hyperparameters(algorithm, config.algorithm.parameters)
    with collected(problems):
        policy = config.algorithm.parameters.get("policy") or next(iter(algorithm.policy_aliases))
        check_policy(algorithm, policy)
        policy_kwargs(algorithm, policy, config.algorithm.architecture)
    with collected(problems):
        check_double_buffer(config, entry)
    raise_together(problems)
    # The number of quantiles belongs to two sections, each valid by now.
    check_quantiles(config.algorithm)
    return entry


def check_quantiles(algorithm: AlgorithmConfig) -> None:
    """Raise `InputError` if TQC would drop all quantiles of a critic."""
    dropped = algorithm.parameters.get("top_quantiles_to_drop_per_net")
    quantiles = algorithm.architecture.policy_kwargs.get("n_quantiles", DEFAULT_QUANTILES)
    if dropped is not None and dropped >= quantiles:
        raise InputError(
            f"algorithm.parameters.top_quantiles_to_drop_per_net: expected fewer than the {quantiles} quantiles of a "
            f"critic (n_quantiles), found {dropped}"
        )


def build(config: Config, venv: VecEnv, *, for_training: bool = True) -> BaseAlgorithm:
    """Build a new model for an environment, on the configured device and seeded with `training.seed`.

    Args:
        config: the configuration of the run.
        venv: the environments, or a stand-in with the same spaces.
        for_training: False for a model that only acts; its buffers are as small as possible then.

    Raises:
        InputError: the algorithm does not support the action space, or refuses a hyperparameter.
    """
    entry = check(config)
    algorithm = entry.load()
    if type(venv.action_space).__name__ not in entry.action_spaces:
        raise InputError(
            f"algorithm.name: {algorithm.__name__} acts in {' and '.join(entry.action_spaces)} action spaces, but "
            f"{config.environment.id} has {venv.action_space}"
        )
    # Arguments of the constructor.
    parameters = config.algorithm.parameters
    policy = parameters.get("policy") or default_policy(algorithm, venv.observation_space)
    arguments = _constructor_arguments(config, algorithm, policy, venv)
    if for_training:
        algorithm = _adapt_to_training(config, algorithm, arguments, venv.num_envs)
    elif issubclass(algorithm, OffPolicyAlgorithm):
        _shrink_buffer(arguments, venv)
    device = resolve_device(config.training.device)
    avoid_compiler_import()
    with _translated_errors(config, algorithm, policy, venv.observation_space), warnings.catch_warnings():
        if not for_training:
            # Warnings about batch sizes do not matter to a model that only acts.
            warnings.simplefilter("ignore", UserWarning)
        model = algorithm(policy, venv, seed=config.training.seed, device=device, **arguments)
    limit_threads(model)
    return model


@contextmanager
def _translated_errors(
    config: Config, algorithm: type[BaseAlgorithm], policy: str, observation_space: spaces.Space[Any]
) -> Iterator[None]:
    """Turn exceptions of an algorithm's constructor into `InputError` with one line."""
    try:
        yield
    except (TypeError, ValueError, AssertionError, NotImplementedError) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"algorithm: {algorithm.__name__} refuses the configuration: {message}") from error
    except RuntimeError as error:
        # Convolutions on a small image fail with an error about the size of a kernel.
        if (shape := small_image(observation_space)) is None:
            raise
        fault = (
            f"images of shape {shape} are too small for the CNN of {policy}, which takes {MIN_IMAGE_SIDE} x "
            f"{MIN_IMAGE_SIDE} pixels and more; algorithm.parameters.policy=MlpPolicy takes them, or a feature "
            "extractor of your own"
        )
        raise faulty_environment(config, fault) from error


def _constructor_arguments(config: Config, algorithm: type[BaseAlgorithm], policy: str, venv: VecEnv) -> dict[str, Any]:
    """Return keyword arguments of the algorithm for hyperparameters, noise and networks."""
    parameters = config.algorithm.parameters
    arguments: dict[str, Any] = checked_hyperparameters(algorithm, parameters)
    if "action_noise" in parameters:
        arguments["action_noise"] = make_action_noise(parameters["action_noise"], venv.action_space)
    if architecture := policy_kwargs(algorithm, policy, config.algorithm.architecture):
        arguments["policy_kwargs"] = architecture
    if arguments.get("replay_buffer_class") is HerReplayBuffer:
        check_goals(venv.observation_space)
    return arguments


def _adapt_to_training(
    config: Config, algorithm: type[BaseAlgorithm], arguments: dict[str, Any], num_envs: int
) -> type[BaseAlgorithm]:
    """Return the algorithm with the changes that training needs; shorten its rollout in `arguments`."""
    if issubclass(algorithm, OnPolicyAlgorithm):
        fit_rollout(algorithm, arguments, num_envs, config.training.total_timesteps)
    if arguments.get("replay_buffer_class") is HerReplayBuffer:
        algorithm = delay_updates_until_episode_end(algorithm)
    return double_buffered(algorithm) if config.training.double_buffer else algorithm


def _shrink_buffer(arguments: dict[str, Any], venv: VecEnv) -> None:
    """Make the replay buffer as small as possible: one step of each environment."""
    arguments |= {"buffer_size": venv.num_envs, "replay_buffer_class": None, "replay_buffer_kwargs": None}
    if not isinstance(venv.observation_space, spaces.Dict):
        arguments["optimize_memory_usage"] = False  # it depends on the settings left out
