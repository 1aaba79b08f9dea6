"""The policy: which class, and the networks that `algorithm.architecture` asks for."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import is_image_space

from rl_pipeline.config.schema import ArchitectureConfig
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.models.feature_extractors import find_feature_extractor

SECTION = "algorithm.architecture"


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
    """Keyword arguments of the policy class.

    Raises `InputError` naming the key for what this policy does not take, `UnknownNameError` for an unknown activation
    function or feature extractor.
    """
    policy_class = algorithm.policy_aliases[policy]
    arguments: dict[str, Any] = dict(architecture.policy_kwargs)
    if architecture.net_arch is not None:
        arguments["net_arch"] = _checked_net_arch(policy_class, algorithm.__name__, architecture.net_arch)
    if architecture.activation_fn is not None:
        arguments["activation_fn"] = _activation(architecture.activation_fn)
    if architecture.features_extractor_class is not None:
        arguments["features_extractor_class"] = find_feature_extractor(architecture.features_extractor_class)
        arguments["features_extractor_kwargs"] = dict(architecture.features_extractor_kwargs)
    elif architecture.features_extractor_kwargs:
        raise InputError(f"{SECTION}.features_extractor_kwargs: needs features_extractor_class")
    if architecture.share_features_extractor is not None:
        arguments["share_features_extractor"] = architecture.share_features_extractor
    valid = list(inspect.signature(policy_class.__init__).parameters)[4:]
    for name in arguments:
        if name not in valid:
            kind = f"setting of {algorithm.__name__}'s {policy}"
            raise UnknownNameError(kind, name, valid, where=f"{SECTION}.{name}")
    return arguments


def _checked_net_arch(
    policy_class: type[BasePolicy], algorithm: str, net_arch: list[int] | dict[str, list[int]]
) -> list[int] | dict[str, list[int]]:
    if isinstance(net_arch, list):
        return net_arch
    if issubclass(policy_class, ActorCriticPolicy):
        valid: tuple[str, ...] = ("pi", "vf")
    else:
        valid = ("pi", "qf") if hasattr(policy_class, "make_actor") else ()
    if not valid:
        raise InputError(f"{SECTION}.net_arch: {algorithm} has one network: expected a list of layer sizes")
    for name in net_arch:
        if name not in valid:
            raise UnknownNameError(f"network of {algorithm}", name, valid, where=f"{SECTION}.net_arch.{name}")
    missing = [name for name in valid if name not in net_arch]
    if missing:
        raise InputError(f"{SECTION}.net_arch: {algorithm} needs {' and '.join(valid)}; {missing[0]} is missing")
    return net_arch


def _activation(name: str) -> type[torch.nn.Module]:
    activations = {
        key: value
        for key, value in vars(torch.nn.modules.activation).items()
        if inspect.isclass(value) and issubclass(value, torch.nn.Module) and key in torch.nn.modules.activation.__all__
    }
    if name not in activations:
        raise UnknownNameError("activation function", name, activations, where=f"{SECTION}.activation_fn")
    return activations[name]
