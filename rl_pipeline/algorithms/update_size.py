"""Samples of an update: rollouts that fit the run, and are large enough for statistics of their advantages."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rl_pipeline.algorithms.constructors import declared_parameters, is_kind_of
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)

SECTION: Final = "algorithm.parameters"


def fit_rollout(algorithm: type[BaseAlgorithm], arguments: dict[str, Any], num_envs: int, total: int) -> None:
    """Shorten a rollout that alone would exceed the whole run, so that a short run is as short as asked."""
    given = {name: each.parameter.default for name, each in declared_parameters(algorithm).items()} | arguments
    n_steps, batch_size = given["n_steps"], given.get("batch_size")
    fitting = _fitting(n_steps, num_envs, total)
    if fitting != n_steps:
        logger.warning(
            "n_steps %d x %d %s exceeds training.total_timesteps %d: using n_steps %d",
            n_steps, num_envs, plural(num_envs, "environment"), total, fitting,
        )  # fmt: skip
        arguments["n_steps"] = fitting
        if isinstance(batch_size, int) and batch_size > fitting * num_envs:
            arguments["batch_size"] = fitting * num_envs  # Stable-Baselines3 would do so too, with a warning of its own


def check_update_size(config: Config, algorithm: type[BaseAlgorithm]) -> None:
    """Raise `InputError` for updates that the number of environments rules out.

    The standard deviation of the advantages of one sample is NaN, and several environments end their episodes at
    different steps.
    """
    count = config.simulation.n_environments
    frequency = config.algorithm.parameters.get("train_freq")
    if isinstance(frequency, list | tuple) and frequency[-1] == "episode" and count > 1:
        raise InputError(
            f"{SECTION}.train_freq: expected one environment with {list(frequency)}, found n_environments {count}; "
            f"set n_environments=1, or count steps, such as train_freq=[{count}, step]"
        )
    declared = declared_parameters(algorithm)
    if not issubclass(algorithm, OnPolicyAlgorithm) or "normalize_advantage" not in declared:
        return
    values = {name: each.parameter.default for name, each in declared.items()} | config.algorithm.parameters
    by_library = declared["normalize_advantage"].by_library and declared["n_steps"].by_library
    if values["normalize_advantage"] and by_library:
        size = count * _fitting(values["n_steps"], count, config.training.total_timesteps)
        _check_normalized_rollout(algorithm, values, size)


def _check_normalized_rollout(algorithm: type[BaseAlgorithm], values: Mapping[str, Any], size: int) -> None:
    """Raise `InputError` unless each update of a rollout of `size` samples has two or more."""
    sizes = f"n_steps x n_environments ({size})"
    if size < 2:
        raise InputError(f"{SECTION}.n_steps: expected at least 2 in {sizes} with normalize_advantage")
    factor = values.get("sub_sampling_factor", 1)
    if factor >= size:
        raise InputError(f"{SECTION}.sub_sampling_factor: expected less than {sizes}, found {factor}")
    batch = values.get("batch_size")
    # PPO itself leaves the advantages of a single last sample as they are.
    if is_kind_of(algorithm, "RecurrentPPO") and batch and size % batch == 1:
        raise InputError(
            f"{SECTION}.batch_size: {batch} leaves a last batch of one sample of {sizes}, whose advantage cannot be "
            "normalized; expected a divisor"
        )


def _fitting(n_steps: Any, num_envs: int, total: int) -> Any:
    """The rollout's length, shortened to the run; one that an algorithm of the user's leaves open stays."""
    return min(n_steps, max(2, -(-total // num_envs))) if isinstance(n_steps, int) else n_steps
