"""The `network` section: layers, activation and the standard deviation of actions, as `algorithm.architecture`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.models.feature_extractors.discovery import registered_feature_extractors
from rl_pipeline.runner.translation.keys import Keys

ACTIVATIONS: Final = {
    "relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "elu": "ELU", "selu": "SELU", "swish": "SiLU",
    "silu": "SiLU", "gelu": "GELU", "softplus": "Softplus",
}  # fmt: skip
DEFAULT_INITIALIZER: Final = ({"name": "default"},)

NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "rnn": (), "cnn": (), "central_value": (False,), "normalization": (), "joint_obs_actions": (), "value_shape": (1,),
    "value_activation": (), "log_std_bounds": ([-20, 2],), "load_checkpoint": (False,),
}  # fmt: skip
REFUSED: Final[Mapping[str, str]] = {
    "rnn": "for a recurrent policy use rl-pipeline train algorithm=recurrent_ppo",
    "cnn": "image observations get Stable-Baselines3's convolutions, or a network of your own: register_network",
    "joint_obs_actions": "register a network of your own: register_network",
}
MLP_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "initializer": DEFAULT_INITIALIZER, "regularizer": ({"name": None},), "d2rl": (False,), "norm_func_name": (),
    "norm_only_first_layer": (False,),
}  # fmt: skip
MLP_REFUSED: Final[Mapping[str, str]] = {"d2rl": "register a network of your own: register_network"}
SPACE_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "mu_activation": (), "sigma_activation": (), "mu_init": DEFAULT_INITIALIZER,
}  # fmt: skip


def architecture(network: Keys, name: str, sigma: float | None) -> dict[str, Any]:
    """The settings of `algorithm.architecture`.

    Args:
        network: the section.
        name: the network that the algorithm has by default, such as `actor_critic`; others have to be registered.
        sigma: logarithm of the actions' standard deviation at the start; None: what the section says.

    Raises:
        InputError: the section asks for what there is not.
    """
    chosen = network.text("name", name)
    if chosen == name:
        settings = _perceptron(network, actor_critic=name == "actor_critic")
    else:
        settings = _registered(network, chosen, name)
    log_std = _log_std(network, sigma)
    if log_std is not None and name == "actor_critic":
        settings["policy_kwargs"] = {"log_std_init": log_std}
    network.finish(NEUTRAL, REFUSED)
    return settings


def _perceptron(network: Keys, *, actor_critic: bool) -> dict[str, Any]:
    units, activation = _layers(network)
    separate = network.flag("separate", not actor_critic)
    if not actor_critic:
        return {"net_arch": units, "activation_fn": activation}
    if separate:
        return {"net_arch": {"pi": units, "vf": units}, "activation_fn": activation}
    # Stable-Baselines3 shares nothing but the features: the whole trunk is made of them.
    return {
        "net_arch": [],
        "features_extractor_class": "MLP",
        "features_extractor_kwargs": {"units": units, "activation": activation},
    }


def _registered(network: Keys, chosen: str, default: str) -> dict[str, Any]:
    registered = registered_feature_extractors()
    if chosen not in registered:
        raise UnknownNameError("network", chosen, [default, *registered], where=network.where("name"))
    settings: dict[str, Any] = {"net_arch": [], "features_extractor_class": chosen}
    if "mlp" in network:
        settings["net_arch"], settings["activation_fn"] = _layers(network)
    network.value("separate", None)
    settings["features_extractor_kwargs"] = network.rest(("space", *NEUTRAL))
    return settings


def _layers(network: Keys) -> tuple[list[int], str]:
    mlp = network.section("mlp")
    units = mlp.value("units")
    if not isinstance(units, list) or not units or not all(type(width) is int and width > 0 for width in units):
        raise InputError(f"{mlp.where('units')}: expected the widths of the layers, such as [64, 64], found {units!r}")
    name = str(mlp.text("activation", "relu"))
    if name.lower() not in ACTIVATIONS:
        raise UnknownNameError("activation", name, ACTIVATIONS, where=mlp.where("activation"))
    mlp.finish(MLP_NEUTRAL, MLP_REFUSED)
    return units, ACTIVATIONS[name.lower()]


def _log_std(network: Keys, sigma: float | None) -> float | None:
    """The logarithm of the standard deviation that continuous actions begin with; None: there is none to set."""
    space = network.section("space")
    space.value("discrete", None)
    space.value("multi_discrete", None)
    if "continuous" not in space:
        space.value("continuous", None)
        space.finish({}, {})
        if sigma is not None:
            raise InputError(f"--sigma: needs a network with space.continuous.fixed_sigma, see {network.source}")
        return None
    continuous = space.section("continuous")
    if not continuous.flag("fixed_sigma", True):
        raise InputError(
            f"{continuous.where('fixed_sigma')}: expected true, found false: "
            "the deviation of Stable-Baselines3's actions does not depend on the observation"
        )
    init = continuous.section("sigma_init")
    init.text("name", "const_initializer")
    value = init.number("val", 0.0)
    init.finish({}, {})
    continuous.finish(SPACE_NEUTRAL, {})
    space.finish({}, {})
    return float(value) if sigma is None else sigma
