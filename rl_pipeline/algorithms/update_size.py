"""Size of an update: rollouts no longer than the run, and batches large enough to normalise advantages."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rl_pipeline.algorithms.constructor_arguments import declared_parameters, is_kind_of
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

SECTION: Final = "algorithm.parameters"


def fit_rollout(algorithm: type[BaseAlgorithm], arguments: dict[str, Any], num_envs: int, total: int) -> None:
    """Shorten `n_steps` in `arguments` if one rollout would exceed the whole run.

    Args:
        algorithm: class of the algorithm, on-policy.
        arguments: keyword arguments of its constructor; changed in place.
        num_envs: number of environments.
        total: environment steps of the run.
    """
    given = {name: each.parameter.default for name, each in declared_parameters(algorithm).items()} | arguments
    n_steps, batch_size = given["n_steps"], given.get("batch_size")
    fitting = _fit_steps(n_steps, num_envs, total)
    if fitting != n_steps:
        logger.warning(
            "n_steps %d x %d %s exceeds training.total_timesteps %d: using n_steps %d",
            n_steps,
            num_envs,
            plural(num_envs, "environment"),
            total,
            fitting,
        )
        arguments["n_steps"] = fitting
        if isinstance(batch_size, int) and batch_size > fitting * num_envs:
            # Stable-Baselines3 would do the same, with a second warning.
            arguments["batch_size"] = fitting * num_envs


def check_update_size(config: Config, algorithm: type[BaseAlgorithm]) -> None:
    """Raise `InputError` for updates that the number of environments rules out.

    Several environments end their episodes at different steps, and the standard deviation of one advantage is NaN.
    """
    count = config.simulation.n_environments
    # Off-policy: a number of episodes is counted in one environment only.
    frequency = config.algorithm.parameters.get("train_freq")
    if isinstance(frequency, list | tuple) and frequency[-1] == "episode" and count > 1:
        raise InputError(
            f"{SECTION}.train_freq: expected one environment with {list(frequency)}, found n_environments {count}; "
            f"set n_environments=1, or count steps, such as train_freq=[{count}, step]"
        )
    # On-policy: a rollout or its last batch must have two samples to normalise advantages.
    declared = declared_parameters(algorithm)
    if not issubclass(algorithm, OnPolicyAlgorithm) or "normalize_advantage" not in declared:
        return
    values = {name: each.parameter.default for name, each in declared.items()} | config.algorithm.parameters
    by_library = declared["normalize_advantage"].by_library and declared["n_steps"].by_library
    if values["normalize_advantage"] and by_library:
        size = count * _fit_steps(values["n_steps"], count, config.training.total_timesteps)
        _check_normalized_rollout(algorithm, values, size)


def _check_normalized_rollout(algorithm: type[BaseAlgorithm], values: Mapping[str, Any], size: int) -> None:
    """Raise `InputError` unless every update of a rollout of `size` samples has at least two."""
    sizes = f"n_steps x n_environments ({size})"
    if size < 2:
        raise InputError(f"{SECTION}.n_steps: expected at least 2 in {sizes} with normalize_advantage")
    factor = values.get("sub_sampling_factor", 1)
    if factor >= size:
        raise InputError(f"{SECTION}.sub_sampling_factor: expected less than {sizes}, found {factor}")
    batch = values.get("batch_size")
    # PPO does not normalise the advantage of a batch of one sample; RecurrentPPO does.
    if is_kind_of(algorithm, "RecurrentPPO") and batch and size % batch == 1:
        raise InputError(
            f"{SECTION}.batch_size: {batch} leaves a last batch of one sample of {sizes}, whose advantage cannot be "
            "normalized; expected a divisor"
        )


def _fit_steps(n_steps: Any, num_envs: int, total: int) -> Any:
    """Return `n_steps`, at most the steps of the run for each environment; anything but an integer unchanged."""
    return min(n_steps, max(2, -(-total // num_envs))) if isinstance(n_steps, int) else n_steps
