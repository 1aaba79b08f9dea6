"""The policy: which class, and the networks that `algorithm.architecture` asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces
from pydantic import ValidationError
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import is_image_space

from rl_pipeline.algorithms.class_names import named_class
from rl_pipeline.algorithms.constructors import Declared, declared_parameters
from rl_pipeline.algorithms.plain_values import plain_value
from rl_pipeline.config.expectations import found
from rl_pipeline.config.hyperparameters import POLICY_RANGES
from rl_pipeline.config.schema import ArchitectureConfig
from rl_pipeline.errors import InputError, UnknownNameError, collected, raise_together

SECTION = "algorithm.architecture"
CLASSES = ("activation_fn", "features_extractor_class", "optimizer_class")
NOT_SETTINGS = ("self", "observation_space", "action_space", "lr_schedule", "use_sde")
"""Arguments of a policy that the algorithm gives it."""
SET_ELSEWHERE = {"use_sde": "algorithm.parameters.use_sde", "lr_schedule": "algorithm.parameters.learning_rate"}


def default_policy(algorithm: type[BaseAlgorithm], observation_space: spaces.Space[Any]) -> str:
    """The policy that suits an observation space: images, dictionaries, or anything else."""
    aliases = list(algorithm.policy_aliases)
    kind = "MultiInput" if isinstance(observation_space, spaces.Dict) else "Mlp"
    if is_image_space(observation_space):
        kind = "Cnn"
    return next((alias for alias in aliases if alias.startswith(kind)), aliases[0])


def check_policy(algorithm: type[BaseAlgorithm], policy: str) -> None:
    """Raise `UnknownNameError` unless the algorithm has a policy of that name."""
    if policy not in algorithm.policy_aliases:
        where = "algorithm.parameters.policy"
        raise UnknownNameError(f"policy of {algorithm.__name__}", str(policy), algorithm.policy_aliases, where=where)


def policy_kwargs(algorithm: type[BaseAlgorithm], policy: str, architecture: ArchitectureConfig) -> dict[str, Any]:
    """Keyword arguments of the policy class, with the classes that they name.

    Raises:
        InputError: a line for each setting that this policy does not take, and each value that it cannot have.
    """
    policy_class = algorithm.policy_aliases[policy]
    taken = {name: each for name, each in declared_parameters(policy_class).items() if name not in NOT_SETTINGS}
    problems: list[InputError] = []
    arguments: dict[str, Any] = {}
    for where, value in _given(architecture).items():
        name = where.rpartition(".")[2]
        with collected(problems):
            if name in SET_ELSEWHERE:
                raise InputError(f"{where}: set {SET_ELSEWHERE[name]} instead")
            if name not in taken:
                kind = f"setting of {algorithm.__name__}'s {policy}"
                raise UnknownNameError(kind, name, taken, where=where)
            if name == "net_arch":
                arguments[name] = _checked_net_arch(where, policy_class, algorithm.__name__, value)
            elif name in CLASSES:
                arguments[name] = named_class(name, value, where)
            else:
                limits = POLICY_RANGES.get(name) if taken[name].by_library else None
                arguments[name] = plain_value(where, value, taken[name].parameter.annotation, limits)
    problems += _wrong_arguments_of_classes(architecture, arguments, taken)
    raise_together(problems)
    return arguments


def _given(architecture: ArchitectureConfig) -> dict[str, Any]:
    """The settings by the keys that they were given as; a key of its own outweighs one of `policy_kwargs`."""
    extractor = architecture.features_extractor_class
    own = {
        "net_arch": architecture.net_arch,
        "activation_fn": architecture.activation_fn,
        "features_extractor_class": extractor,
        "features_extractor_kwargs": None if extractor is None else dict(architecture.features_extractor_kwargs),
        "share_features_extractor": architecture.share_features_extractor,
    }
    own = {name: value for name, value in own.items() if value is not None}
    others = {name: value for name, value in architecture.policy_kwargs.items() if name not in own}
    return {
        **{f"{SECTION}.policy_kwargs.{name}": value for name, value in others.items()},
        **{f"{SECTION}.{name}": value for name, value in own.items()},
    }


def _wrong_arguments_of_classes(
    architecture: ArchitectureConfig, arguments: Mapping[str, Any], taken: Mapping[str, Declared]
) -> list[InputError]:
    """Errors for keyword arguments that the named optimizer or feature extractor does not take."""
    problems: list[InputError] = []
    extractor, key = arguments.get("features_extractor_class"), f"{SECTION}.features_extractor_kwargs"
    if architecture.features_extractor_kwargs and architecture.features_extractor_class is None:
        problems.append(InputError(f"{key}: needs features_extractor_class"))
    if extractor is not None and "features_extractor_kwargs" in arguments:
        problems += _unknown_arguments(key, extractor, arguments["features_extractor_kwargs"], ("observation_space",))
    if "optimizer_class" in taken and arguments.get("optimizer_kwargs"):
        optimizer = arguments.get("optimizer_class", taken["optimizer_class"].parameter.default)
        given, key = dict(arguments["optimizer_kwargs"]), f"{SECTION}.policy_kwargs.optimizer_kwargs"
        if given.pop("lr", None) is not None:
            problems.append(InputError(f"{key}.lr: set algorithm.parameters.learning_rate instead"))
        problems += _unknown_arguments(key, optimizer, given, ("params", "lr"))
    return problems


def _unknown_arguments(
    where: str, constructed: type[Any], given: Mapping[str, Any], hidden: tuple[str, ...]
) -> list[InputError]:
    valid = [name for name in declared_parameters(constructed) if name not in ("self", *hidden)]
    kind = f"setting of {constructed.__name__}"
    return [UnknownNameError(kind, str(name), valid, where=f"{where}.{name}") for name in given if name not in valid]


def _checked_net_arch(where: str, policy_class: type[BasePolicy], algorithm: str, given: Any) -> Any:
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], dict):
        given = given[0]  # as Stable-Baselines3 1.x had it
    try:
        net_arch = ArchitectureConfig.model_validate({"net_arch": given}).net_arch
    except ValidationError:
        expected = "a list of layer sizes, or one for each network (pi, vf or qf)"
        raise InputError(f"{where}: expected {expected}, found {found(given)}") from None
    if not isinstance(net_arch, dict):
        return net_arch
    if issubclass(policy_class, ActorCriticPolicy):
        valid: tuple[str, ...] = ("pi", "vf")
    else:
        valid = ("pi", "qf") if hasattr(policy_class, "make_actor") else ()
    if not valid:
        raise InputError(f"{where}: {algorithm} has one network: expected a list of layer sizes")
    for name in net_arch:
        if name not in valid:
            raise UnknownNameError(f"network of {algorithm}", name, valid, where=f"{where}.{name}")
    missing = [name for name in valid if name not in net_arch]
    if missing:
        raise InputError(f"{where}: {algorithm} needs {' and '.join(valid)}; {missing[0]} is missing")
    return net_arch
