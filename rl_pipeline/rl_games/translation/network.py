"""The `network` section: layers, activation and the standard deviation of actions, as `algorithm.architecture`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Final

from rl_pipeline.errors import InputError, suggestion
from rl_pipeline.models.feature_extractors.registration import registered_feature_extractors
from rl_pipeline.rl_games.translation.layers import (
    DEFAULT_INITIALIZER,
    Perceptron,
    read_convolutions,
    read_perceptron,
    read_recurrence,
)
from rl_pipeline.rl_games.translation.section_reader import ANY, SectionReader

RESIDUAL: Final = "resnet_actor_critic"
"""Network of rl_games with the convolutions of IMPALA (Espeholt et al. 2018)."""
# Keys of the section `network`, with the values that have no effect here.
NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "rnn": (),
    "cnn": (),
    "central_value": (False,),
    "normalization": (),
    "joint_obs_actions": (),
    "value_shape": (1,),
    "value_activation": (),
    "log_std_bounds": ([-20, 2],),
    "load_checkpoint": (False,),
}
# Further keys of the networks that come with rl_games; a registered network may use these names itself.
OWN_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    **NEUTRAL,
    "require_rewards": (False,),
    "require_last_actions": (False,),
    "lstm": (),
    "inputs": (),
    "transformer": (),
    "blocks": ANY,
}
# Reasons for keys that are left out, and advice for those that are refused.
IGNORED: Final[Mapping[str, str]] = {
    "require_rewards": "the last rewards are not observed",
    "require_last_actions": "for the last actions use the wrapper action_history",
    "log_std_bounds": "the logarithm of the deviation is kept within [-20, 2]",
}
_REGISTER: Final = "register a network of your own: register_network"
REFUSED: Final[Mapping[str, str]] = {
    "rnn": "only PPO (a2c_continuous, a2c_discrete) has a recurrent policy",
    "lstm": "the section of a recurrent layer is called rnn",
    "cnn": _REGISTER,
    "joint_obs_actions": _REGISTER,
    "inputs": "the policy sees one observation",
    "transformer": _REGISTER,
}
# Keys of `network.space.continuous`.
SPACE_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "mu_activation": (),
    "sigma_activation": (),
    "mu_init": DEFAULT_INITIALIZER,
    "learn_sigma": (True,),
}
SPACE_IGNORED: Final[Mapping[str, str]] = {
    "mu_init": "the last layer begins orthogonal with gain 0.01, as in Stable-Baselines3",
    "learn_sigma": "the deviation is learned",
}


def read_architecture(
    network: SectionReader, name: str, sigma: float | None, *, recurrent: bool = False
) -> dict[str, Any]:
    """Read the settings of `algorithm.architecture`.

    Args:
        network: the section.
        name: default network of the algorithm, such as `actor_critic`; others must be registered.
        sigma: logarithm of the actions' standard deviation at the start; None: as in the section.
        recurrent: the policy has an LSTM.

    Raises:
        InputError: the network is unknown, or has layers that are not supported.
    """
    chosen = network.text("name", name)
    if recurrent:
        settings = _recurrent(network)
    elif chosen in (name, RESIDUAL) and name == "actor_critic":
        settings = _actor_critic(network)
    elif chosen == name:
        layers = read_perceptron(network, may_be_empty=False)
        network.flag("separate", True)
        settings = {"net_arch": layers.units, "activation_fn": layers.activation}
    else:
        settings = _registered(network, chosen, name)

    # SAC learns its deviation by a layer of its own.
    log_std = _log_std(network, sigma)
    if log_std is not None and name == "actor_critic":
        settings.setdefault("policy_kwargs", {})["log_std_init"] = log_std
    network.finish(OWN_NEUTRAL, REFUSED, IGNORED)
    return settings


def _actor_critic(network: SectionReader) -> dict[str, Any]:
    separate, seen = network.flag("separate", False), "cnn" in network
    layers = read_perceptron(network, may_be_empty=seen)
    if separate and not seen:
        return {"net_arch": {"pi": layers.units, "vf": layers.units}, "activation_fn": layers.activation}
    # Stable-Baselines3 shares features only, so the whole trunk becomes the feature extractor.
    return _features(network, layers, separate=separate)


def _recurrent(network: SectionReader) -> dict[str, Any]:
    """Read an LSTM before or after the fully connected layers; actor and critic share it unless they are separate."""
    separate, seen = network.flag("separate", False), "cnn" in network
    rnn = read_recurrence(network)
    layers = read_perceptron(network, may_be_empty=True)

    # Layers before the LSTM are features; those after it are the networks of actor and critic.
    if not rnn.before_mlp and (seen or layers.units):
        settings = _features(network, layers, separate=separate)
    else:
        settings = _features(network, Perceptron([], layers.activation), separate=separate) if seen else {}
        settings |= {"net_arch": {"pi": layers.units, "vf": layers.units}, "activation_fn": layers.activation}
        if not separate and layers.units:
            network.leave("separate", "actor and critic share the LSTM, but not the layers after it")
    shared = {} if separate else {"shared_lstm": True, "enable_critic_lstm": False}
    settings["policy_kwargs"] = {"lstm_hidden_size": rnn.units, "n_lstm_layers": rnn.layers, **shared}
    return settings


def _features(network: SectionReader, layers: Perceptron, *, separate: bool) -> dict[str, Any]:
    """Return the settings of a feature extractor: convolutions, if the section has any, and a perceptron."""
    extractor, arguments = "MLP", {"units": layers.units, "activation": layers.activation}
    if "cnn" in network:
        arguments = {**read_convolutions(network), "units": layers.units}
        extractor = "ImpalaCNN" if "depths" in arguments else "ConvNet"
        if extractor == "ConvNet":
            arguments["mlp_activation"] = layers.activation
    settings = {"net_arch": [], "features_extractor_class": extractor, "features_extractor_kwargs": arguments}
    return {**settings, "share_features_extractor": False} if separate else settings


def _registered(network: SectionReader, chosen: str, default: str) -> dict[str, Any]:
    """Read the section of a network that the user has registered; its own keys are keyword arguments."""
    registered = registered_feature_extractors()
    if chosen not in registered:
        where, nearest = network.where("name"), suggestion(chosen, [default, *registered])
        if nearest.startswith("; did"):
            raise InputError(f"{where}: unknown network {chosen!r}{nearest}")
        raise InputError(f"{where}: expected {default} or one added with register_network, found {chosen!r}")

    # Layers of `mlp` follow the registered network.
    settings: dict[str, Any] = {"net_arch": [], "features_extractor_class": chosen}
    if "mlp" in network:
        layers = read_perceptron(network, may_be_empty=False)
        settings |= {"net_arch": layers.units, "activation_fn": layers.activation}
    network.value("separate", None)
    settings["features_extractor_kwargs"] = network.rest(("space", *NEUTRAL))
    return settings


def _log_std(network: SectionReader, sigma: float | None) -> float | None:
    """Read the logarithm of the initial standard deviation of continuous actions; None for other actions."""
    space = network.section("space")
    space.value("discrete", None)
    space.value("multi_discrete", None)
    if "continuous" not in space:
        space.value("continuous", None)
        space.finish({}, {})
        if sigma is not None:
            raise InputError(f"--sigma: needs a network with space.continuous.fixed_sigma, see {network.source}")
        return None

    # rl_games has initializers of many kinds; a constant is the one that makes a difference here.
    continuous = space.section("continuous")
    if continuous.value("fixed_sigma", True) is not True:
        continuous.leave("fixed_sigma", "the deviation is learned, but does not depend on the observation")
    init = continuous.section("sigma_init")
    kind = init.text("name", "const_initializer")
    value = init.number("val", init.number("value", 0.0))
    init.finish({}, {}, {"gain": "not used", "scale": "not used", "std": "not used", "a": "not used", "b": "not used"})
    if kind not in ("const_initializer", "default"):
        init.leave("name", f"{kind} is not used: the deviation begins at exp({value:g})")
    continuous.finish(SPACE_NEUTRAL, {}, SPACE_IGNORED)
    space.finish({}, {})
    return float(value) if sigma is None else sigma
