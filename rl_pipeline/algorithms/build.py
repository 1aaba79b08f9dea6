"""From the configuration to a Stable-Baselines3 model; every name is checked before any simulator is started."""

from __future__ import annotations

import functools
import logging
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any, Final

import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer
from torch.optim import Optimizer

from rl_pipeline.algorithms.action_noise import action_noise
from rl_pipeline.algorithms.architecture import check_policy, default_policy, policy_kwargs
from rl_pipeline.algorithms.double_buffering import check_double_buffer, double_buffered
from rl_pipeline.algorithms.hindsight import check_goals, waiting_for_episodes
from rl_pipeline.algorithms.hyperparameters import checked_hyperparameters
from rl_pipeline.algorithms.registration import AlgorithmEntry, find_algorithm
from rl_pipeline.algorithms.update_size import fit_rollout
from rl_pipeline.config.schema import AlgorithmConfig, Config
from rl_pipeline.envs.registration import faulty_environment
from rl_pipeline.envs.supported_spaces import SMALLEST_IMAGE, small_image
from rl_pipeline.errors import InputError, collected, raise_together

logger = logging.getLogger(__name__)

SMALL_POLICY = 500_000
"""Parameters below which more than one thread makes an update slower, not faster."""


def resolve_device(name: str) -> str:
    """The device to use for `training.device`: `cuda` without CUDA falls back to the CPU, with a warning.

    Raises `InputError` for a CUDA device that this machine does not have beside others.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type != "cuda":
        return name
    if not torch.cuda.is_available():
        logger.warning("training.device is %s, but CUDA is not available here: using the CPU", name)
        return "cpu"
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise InputError(
            f"training.device: {name} does not exist; this machine has cuda:0 to cuda:{torch.cuda.device_count() - 1}"
        )
    return name


def leave_cores_to_players(model: BaseAlgorithm) -> int:
    """Limit PyTorch's threads for this process; OMP_NUM_THREADS, when set, is left to decide. Returns the number.

    One thread for a small policy on the CPU: its matrices are too small to share out, and the players need the cores.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        size = sum(parameter.numel() for parameter in model.policy.parameters())
        small = size < SMALL_POLICY or model.device.type != "cpu"
        torch.set_num_threads(1 if small else max(1, (os.cpu_count() or 1) // 2))
    return torch.get_num_threads()


COMPILER: Final = "torch._dynamo"
_MARK: Final = "__dynamo_disable"
"""Where torch._disable_dynamo keeps, on a function, the version of it that the compiler is to leave alone."""
_GUARD: Final = "_use_grad"
"""Name of the function in which PyTorch's optimisers take their steps: it tells the compiler not to look into them."""


def spare_compiler() -> None:
    """Keep optimisers from importing `torch._dynamo`, and SymPy with it: 1.2 s of processor time.

    An optimiser's functions are marked as not to be compiled, and look up how at their first call. Each is given the
    answer before: without a compiler it runs as it is. Steps say so to the compiler as they are taken; here they do
    once something has loaded it, such as `torch.compile`.
    """
    if COMPILER in sys.modules:
        return
    for method in vars(Optimizer).values():
        function = getattr(method, "__wrapped__", None)
        if function is not None and not hasattr(function, _MARK):
            setattr(function, _MARK, function)
    for optimiser in Optimizer.__subclasses__():
        step = vars(optimiser).get("step")
        if step is not None and getattr(getattr(step, "__code__", None), "co_name", None) == _GUARD:
            optimiser.step = _without_compiler(step)  # type: ignore[method-assign]


def _without_compiler(guarded: Callable[..., Any]) -> Callable[..., Any]:
    """The step of an optimiser as PyTorch takes it, but for the compiler."""
    step: Callable[..., Any] = guarded.__wrapped__  # type: ignore[attr-defined]

    @functools.wraps(step)
    def take(optimiser: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if COMPILER in sys.modules:
            return guarded(optimiser, *args, **kwargs)
        with torch.set_grad_enabled(optimiser.defaults["differentiable"]):
            return step(optimiser, *args, **kwargs)

    return take


QUANTILES = 25
"""Default of `n_quantiles` in the policies of TQC."""


def check(config: Config) -> AlgorithmEntry:
    """Check the algorithm's name, its hyperparameters and its architecture; no environment is needed.

    Raises `InputError` with a line for each key at fault (`UnknownNameError` for a single unknown name).
    """
    entry = find_algorithm(config.algorithm.name)
    algorithm = entry.load()
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
    check_quantiles(config.algorithm)
    return entry


def check_quantiles(algorithm: AlgorithmConfig) -> None:
    """Raise `InputError` when TQC would drop all quantiles of a critic."""
    dropped = algorithm.parameters.get("top_quantiles_to_drop_per_net")
    quantiles = algorithm.architecture.policy_kwargs.get("n_quantiles", QUANTILES)
    if dropped is not None and dropped >= quantiles:
        raise InputError(
            f"algorithm.parameters.top_quantiles_to_drop_per_net: expected fewer than the {quantiles} quantiles of a "
            f"critic (n_quantiles), found {dropped}"
        )


def build(config: Config, venv: VecEnv, *, for_training: bool = True) -> BaseAlgorithm:
    """A new model for the environments of `venv`, on the configured device and seeded with `training.seed`.

    Not `for_training` keeps its buffers as small as they can be, for a model that only acts.
    Raises `InputError` when the algorithm cannot act in the action space or refuses a hyperparameter.
    """
    entry = check(config)
    algorithm = entry.load()
    if type(venv.action_space).__name__ not in entry.action_spaces:
        raise InputError(
            f"algorithm.name: {algorithm.__name__} acts in {' and '.join(entry.action_spaces)} action spaces, but "
            f"{config.environment.id} has {venv.action_space}"
        )
    parameters = config.algorithm.parameters
    policy = parameters.get("policy") or default_policy(algorithm, venv.observation_space)
    arguments = _constructor_arguments(config, algorithm, policy, venv)
    if for_training:
        algorithm = _for_training(config, algorithm, arguments, venv.num_envs)
    elif issubclass(algorithm, OffPolicyAlgorithm):
        _shrink_buffer(arguments, venv)
    device = resolve_device(config.training.device)
    spare_compiler()
    try:
        with warnings.catch_warnings():
            if not for_training:
                # What Stable-Baselines3 says of batch sizes does not matter to a model that only acts.
                warnings.simplefilter("ignore", UserWarning)
            model = algorithm(policy, venv, seed=config.training.seed, device=device, **arguments)
    except (TypeError, ValueError, AssertionError, NotImplementedError) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"algorithm: {algorithm.__name__} refuses the configuration: {message}") from error
    except RuntimeError as error:
        if (shape := small_image(venv.observation_space)) is None:
            raise
        fault = (
            f"images of shape {shape} are too small for the CNN of {policy}, which takes {SMALLEST_IMAGE} x "
            f"{SMALLEST_IMAGE} pixels and more; algorithm.parameters.policy=MlpPolicy takes them, or a feature "
            "extractor of your own"
        )
        raise faulty_environment(config, fault) from error
    leave_cores_to_players(model)
    return model


def _constructor_arguments(config: Config, algorithm: type[BaseAlgorithm], policy: str, venv: VecEnv) -> dict[str, Any]:
    """Keyword arguments of the algorithm for hyperparameters, noise and networks."""
    parameters = config.algorithm.parameters
    arguments: dict[str, Any] = checked_hyperparameters(algorithm, parameters)
    if "action_noise" in parameters:
        arguments["action_noise"] = action_noise(parameters["action_noise"], venv.action_space)
    if architecture := policy_kwargs(algorithm, policy, config.algorithm.architecture):
        arguments["policy_kwargs"] = architecture
    if arguments.get("replay_buffer_class") is HerReplayBuffer:
        check_goals(venv.observation_space)
    return arguments


def _for_training(
    config: Config, algorithm: type[BaseAlgorithm], arguments: dict[str, Any], num_envs: int
) -> type[BaseAlgorithm]:
    """The algorithm as it collects and learns here; its rollout is shortened in `arguments`."""
    if issubclass(algorithm, OnPolicyAlgorithm):
        fit_rollout(algorithm, arguments, num_envs, config.training.total_timesteps)
    if arguments.get("replay_buffer_class") is HerReplayBuffer:
        algorithm = waiting_for_episodes(algorithm)
    return double_buffered(algorithm) if config.training.double_buffer else algorithm


def _shrink_buffer(arguments: dict[str, Any], venv: VecEnv) -> None:
    """Make the replay buffer as small as it can be."""
    arguments |= {"buffer_size": venv.num_envs, "replay_buffer_class": None, "replay_buffer_kwargs": None}
    if not isinstance(venv.observation_space, spaces.Dict):
        arguments["optimize_memory_usage"] = False  # which depends on the settings left out
