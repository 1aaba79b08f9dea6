"""The layers that a `network` section lists: perceptron, convolutions, recurrent layer."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.rl_games.translation.section_reader import ANY, Keys

ACTIVATIONS: Final = {
    "relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "elu": "ELU", "selu": "SELU", "swish": "SiLU",
    "silu": "SiLU", "gelu": "GELU", "softplus": "Softplus",
}  # fmt: skip
CONVOLUTIONS: Final = ("conv2d", "conv2d_flatten")


class _DefaultInitializer:
    """A container of the sections that leave the weights as they are made."""

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Mapping) and value.get("name") in (None, "default")


DEFAULT_INITIALIZER: Final = _DefaultInitializer()
INITIALIZER: Final = {"initializer": "weights begin as Stable-Baselines3 has them, orthogonal"}
MLP_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "initializer": DEFAULT_INITIALIZER, "regularizer": ANY, "normalization": ANY, "norm_func_name": (),
    "norm_only_first_layer": ANY, "d2rl": (False,),
}  # fmt: skip
MLP_REFUSED: Final[Mapping[str, str]] = {"d2rl": "register a network of your own: register_network"}
CNN_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "initializer": DEFAULT_INITIALIZER, "regularizer": ANY, "permute_input": ANY, "norm_func_name": (),
}  # fmt: skip
RNN_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "layer_norm": (False,), "concat_input": (False,), "concat_output": (False,), "zero_rnn_on_done": (True,),
    "permute_input": ANY,
}  # fmt: skip


@dataclass(frozen=True)
class Perceptron:
    """Fully connected layers.

    Attributes:
        units: their widths.
        activation: class of torch.nn by name.
    """

    units: list[int]
    activation: str


@dataclass(frozen=True)
class Recurrence:
    """An LSTM.

    Attributes:
        units: its width.
        layers: how many there are, one upon the other.
        before_mlp: before the fully connected layers, or after them.
    """

    units: int
    layers: int
    before_mlp: bool


def perceptron(network: Keys, *, may_be_empty: bool) -> Perceptron:
    """Read `mlp`. Raises `InputError` for layers that cannot be meant."""
    mlp = network.section("mlp")
    units = mlp.value("units", [] if may_be_empty else None)
    if not isinstance(units, list) or not all(type(width) is int and width > 0 for width in units):
        units = None
    if units is None or not (units or may_be_empty):
        wrong = mlp.value("units", None)
        raise InputError(f"{mlp.where('units')}: expected the widths of the layers, such as [64, 64], found {wrong!r}")
    activation = _activation(mlp)
    mlp.finish(MLP_NEUTRAL, MLP_REFUSED, INITIALIZER)
    return Perceptron(units, activation)


def convolutions(network: Keys) -> dict[str, Any]:
    """Read `cnn`: the keyword arguments of `ConvNet` that it sets, or with `conv_depths` those of `ImpalaCNN`.

    Raises:
        InputError: it lists other convolutions than those of images.
    """
    cnn = network.section("cnn")
    activation = _activation(cnn)
    if "conv_depths" in cnn:
        settings: dict[str, Any] = {"depths": cnn.value("conv_depths"), "activation": activation}
        cnn.finish(CNN_NEUTRAL, {}, INITIALIZER)
        return settings
    kind = cnn.text("type", "conv2d")
    if kind not in CONVOLUTIONS:
        raise UnknownNameError("kind of convolution", str(kind), CONVOLUTIONS, where=cnn.where("type"))
    listed = cnn.value("convs")
    if not isinstance(listed, list) or not listed:
        raise InputError(f"{cnn.where('convs')}: expected a list of convolutions, found {listed!r}")
    layers = [
        _convolution(Keys(cnn.source, f"{cnn.path}.convs[{i}]", conv, cnn.left_out)) for i, conv in enumerate(listed)
    ]
    cnn.finish(CNN_NEUTRAL, {}, INITIALIZER)
    return {"convs": layers, "activation": activation}


def recurrence(network: Keys) -> Recurrence:
    """Read `rnn`. Raises `InputError` for what cannot be meant."""
    rnn = network.section("rnn")
    name = str(rnn.text("name", "lstm"))
    if name not in ("lstm", "gru"):
        raise UnknownNameError("recurrent layer", name, ("lstm", "gru"), where=rnn.where("name"))
    if name == "gru":
        rnn.leave("name", "an LSTM of the same width stands in for a GRU")
    result = Recurrence(rnn.whole("units", least=1), rnn.whole("layers", 1, least=1), rnn.flag("before_mlp", False))
    rnn.finish(RNN_NEUTRAL, {})
    return result


def _convolution(conv: Keys) -> dict[str, int]:
    layer = {
        "filters": conv.whole("filters", least=1),
        "kernel_size": conv.whole("kernel_size", least=1),
        "strides": conv.whole("strides", 1, least=1),
        "padding": conv.whole("padding", 0, least=0),
    }
    conv.finish({}, {})
    return layer


def _activation(section: Keys) -> str:
    name = str(section.text("activation", "relu"))
    if name.lower() not in ACTIVATIONS:
        raise UnknownNameError("activation", name, ACTIVATIONS, where=section.where("activation"))
    return ACTIVATIONS[name.lower()]
