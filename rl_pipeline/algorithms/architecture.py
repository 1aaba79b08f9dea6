"""Policy class and networks, from `algorithm.parameters.policy` and `algorithm.architecture`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

import torch
from gymnasium import spaces
from pydantic import ValidationError
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike

from rl_pipeline.algorithms.constructor_arguments import DeclaredParameter, check_value, declared_parameters
from rl_pipeline.config.expectations import found
from rl_pipeline.config.hyperparameters import POLICY_RANGES
from rl_pipeline.config.schema import ArchitectureConfig
from rl_pipeline.errors import InputError, UnknownNameError, collected, raise_together
from rl_pipeline.models.feature_extractors import find_feature_extractor

SECTION: Final = "algorithm.architecture"
CLASS_SETTINGS: Final = ("activation_fn", "features_extractor_class", "optimizer_class")
NOT_SETTINGS: Final = ("self", "observation_space", "action_space", "lr_schedule", "use_sde")
"""Arguments of a policy that the algorithm passes by itself."""
SET_ELSEWHERE: Final = {
    "use_sde": "algorithm.parameters.use_sde",
    "lr_schedule": "algorithm.parameters.learning_rate",
}
UNSUITED: Final = ("GLU", "MultiheadAttention", "Softmax2d", "Threshold", "LBFGS", "SparseAdam", "Muon")
"""Classes of PyTorch that do not work between layers of one width, or with a plain step on dense gradients."""


def default_policy(algorithm: type[BaseAlgorithm], observation_space: spaces.Space[Any]) -> str:
    """Return the policy for an observation space: `CnnPolicy`, `MultiInputPolicy` or `MlpPolicy`."""
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
    """Return keyword arguments of the policy class, with classes in place of their names.

    Raises:
        InputError: a line for each setting that this policy does not accept, and for each invalid value.
    """
    policy_class = algorithm.policy_aliases[policy]
    accepted = {name: each for name, each in declared_parameters(policy_class).items() if name not in NOT_SETTINGS}
    problems: list[InputError] = []
    arguments: dict[str, Any] = {}
    # Each setting by itself.
    for where, value in _settings_by_key(architecture).items():
        name = where.rpartition(".")[2]
        with collected(problems):
            if name in SET_ELSEWHERE:
                raise InputError(f"{where}: set {SET_ELSEWHERE[name]} instead")
            if name not in accepted:
                kind = f"setting of {algorithm.__name__}'s {policy}"
                raise UnknownNameError(kind, name, accepted, where=where)
            if name == "net_arch":
                arguments[name] = _check_net_arch(where, policy_class, algorithm.__name__, value)
            elif name in CLASS_SETTINGS:
                arguments[name] = find_class(name, value, where)
            else:
                limits = POLICY_RANGES.get(name) if accepted[name].by_library else None
                arguments[name] = check_value(where, value, accepted[name].parameter.annotation, limits)
    # Arguments of the classes that settings name.
    problems += _check_class_arguments(architecture, arguments, accepted)
    raise_together(problems)
    return arguments


def find_class(setting: str, name: Any, where: str) -> type[Any]:
    """Return the class that a name stands for; `nn.ReLU` and `torch.nn.ReLU` are read as `ReLU`.

    Args:
        setting: `activation_fn`, `optimizer_class` or `features_extractor_class`.
        name: name of the class, as in the configuration.
        where: configuration key, for messages.

    Raises:
        InputError: there is no class of that name.
    """
    if not isinstance(name, str):
        raise InputError(f"{where}: expected the name of a class, found {found(name)}")
    name = name.rpartition(".")[2]
    if setting == "features_extractor_class":
        return find_feature_extractor(name, where=where)
    # Activations and optimizers are those of PyTorch.
    classes = _activations() if setting == "activation_fn" else _optimizers()
    classes = {key: value for key, value in classes.items() if key not in UNSUITED}
    if name not in classes:
        kind = "activation function" if setting == "activation_fn" else "optimizer"
        raise UnknownNameError(kind, name, classes, where=where)
    return classes[name]


def _activations() -> dict[str, type[Any]]:
    public = torch.nn.modules.activation.__all__
    return {
        name: value
        for name, value in vars(torch.nn.modules.activation).items()
        if inspect.isclass(value) and issubclass(value, torch.nn.Module) and name in public
    }


def _optimizers() -> dict[str, type[Any]]:
    optimizer = torch.optim.Optimizer
    classes = {
        name: value
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value) and issubclass(value, optimizer) and value is not optimizer
    }
    return {**classes, "RMSpropTFLike": RMSpropTFLike}


def _settings_by_key(architecture: ArchitectureConfig) -> dict[str, Any]:
    """Return the settings by their configuration keys; a key of its own has priority over `policy_kwargs`."""
    extractor = architecture.features_extractor_class
    # Keys of the section; those that were not given leave the policy's default.
    own = {
        "net_arch": architecture.net_arch,
        "activation_fn": architecture.activation_fn,
        "features_extractor_class": extractor,
        "features_extractor_kwargs": None if extractor is None else dict(architecture.features_extractor_kwargs),
        "share_features_extractor": architecture.share_features_extractor,
    }
    own = {name: value for name, value in own.items() if value is not None}
    # Everything else of the policy class, by its own name.
    others = {name: value for name, value in architecture.policy_kwargs.items() if name not in own}
    return {
        **{f"{SECTION}.policy_kwargs.{name}": value for name, value in others.items()},
        **{f"{SECTION}.{name}": value for name, value in own.items()},
    }


def _check_class_arguments(
    architecture: ArchitectureConfig, arguments: Mapping[str, Any], accepted: Mapping[str, DeclaredParameter]
) -> list[InputError]:
    """Return errors for keyword arguments that the named optimizer or feature extractor does not accept."""
    problems: list[InputError] = []
    # Feature extractor: the observation space comes from the policy.
    extractor, key = arguments.get("features_extractor_class"), f"{SECTION}.features_extractor_kwargs"
    if architecture.features_extractor_kwargs and architecture.features_extractor_class is None:
        problems.append(InputError(f"{key}: needs features_extractor_class"))
    if extractor is not None and "features_extractor_kwargs" in arguments:
        problems += _unknown_arguments(key, extractor, arguments["features_extractor_kwargs"], ("observation_space",))
    # Optimizer: parameters and learning rate come from the algorithm.
    if "optimizer_class" in accepted and arguments.get("optimizer_kwargs"):
        optimizer = arguments.get("optimizer_class", accepted["optimizer_class"].parameter.default)
        given, key = dict(arguments["optimizer_kwargs"]), f"{SECTION}.policy_kwargs.optimizer_kwargs"
        if given.pop("lr", None) is not None:
            problems.append(InputError(f"{key}.lr: set algorithm.parameters.learning_rate instead"))
        problems += _unknown_arguments(key, optimizer, given, ("params", "lr"))
    return problems


def _unknown_arguments(
    where: str, cls: type[Any], given: Mapping[str, Any], hidden: tuple[str, ...]
) -> list[InputError]:
    valid = [name for name in declared_parameters(cls) if name not in ("self", *hidden)]
    kind = f"setting of {cls.__name__}"
    return [UnknownNameError(kind, str(name), valid, where=f"{where}.{name}") for name in given if name not in valid]


def _check_net_arch(where: str, policy_class: type[BasePolicy], algorithm: str, given: Any) -> Any:
    """Return `net_arch` as the policy takes it. Raises `InputError` for a wrong type or wrong networks."""
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], dict):
        given = given[0]  # the form of Stable-Baselines3 1.x
    # A list of sizes for every network, or a dictionary with one for each.
    try:
        net_arch = ArchitectureConfig.model_validate({"net_arch": given}).net_arch
    except ValidationError:
        expected = "a list of layer sizes, or one for each network (pi, vf or qf)"
        raise InputError(f"{where}: expected {expected}, found {found(given)}") from None
    if not isinstance(net_arch, dict):
        return net_arch
    # Networks of this policy: actor and value function, actor and critics, or a single one.
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
