"""Layers of a `network` section: perceptron, convolutions, recurrent layer."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.rl_games.translation.section_reader import ANY, SectionReader

# Names of rl_games on the left, classes of torch.nn on the right.
ACTIVATIONS: Final = {
    "relu": "ReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "elu": "ELU",
    "selu": "SELU",
    "swish": "SiLU",
    "silu": "SiLU",
    "gelu": "GELU",
    "softplus": "Softplus",
}
CONVOLUTIONS: Final = ("conv2d", "conv2d_flatten")


class _DefaultInitializer:
    """Container of the `initializer` sections that ask for the default."""

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Mapping) and value.get("name") in (None, "default")


DEFAULT_INITIALIZER: Final = _DefaultInitializer()
INITIALIZER: Final = {"initializer": "weights begin orthogonal, as in Stable-Baselines3"}
# Keys of each section, with the values that have no effect here.
MLP_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "initializer": DEFAULT_INITIALIZER,
    "regularizer": ANY,
    "normalization": ANY,
    "norm_func_name": (),
    "norm_only_first_layer": ANY,
    "d2rl": (False,),
}
MLP_REFUSED: Final[Mapping[str, str]] = {"d2rl": "register a network of your own: register_network"}
CNN_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "initializer": DEFAULT_INITIALIZER,
    "regularizer": ANY,
    "permute_input": ANY,
    "norm_func_name": (),
}
RNN_NEUTRAL: Final[Mapping[str, Container[Any]]] = {
    "layer_norm": (False,),
    "concat_input": (False,),
    "concat_output": (False,),
    "zero_rnn_on_done": (True,),
    "permute_input": ANY,
}


@dataclass(frozen=True)
class Perceptron:
    """Fully connected layers.

    Attributes:
        units: widths of the layers.
        activation: name of a class of torch.nn.
    """

    units: list[int]
    activation: str


@dataclass(frozen=True)
class Recurrence:
    """LSTM.

    Attributes:
        units: width.
        layers: number of stacked layers.
        before_mlp: it comes before the fully connected layers, not after them.
    """

    units: int
    layers: int
    before_mlp: bool


def read_perceptron(network: SectionReader, *, may_be_empty: bool) -> Perceptron:
    """Read `mlp`. Raises `InputError` for invalid widths, or none where they are needed."""
    # An int that is a bool is no width.
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


def read_convolutions(network: SectionReader) -> dict[str, Any]:
    """Read `cnn` as keyword arguments of `ConvNet`, or with `conv_depths` of `ImpalaCNN`.

    Raises:
        InputError: the convolutions are not those of images, or there are none.
    """
    cnn = network.section("cnn")
    activation = _activation(cnn)
    if "conv_depths" in cnn:
        settings: dict[str, Any] = {"depths": cnn.value("conv_depths"), "activation": activation}
        cnn.finish(CNN_NEUTRAL, {}, INITIALIZER)
        return settings

    # A list of layers, each a section of its own.
    kind = cnn.text("type", "conv2d")
    if kind not in CONVOLUTIONS:
        raise UnknownNameError("kind of convolution", str(kind), CONVOLUTIONS, where=cnn.where("type"))
    listed = cnn.value("convs")
    if not isinstance(listed, list) or not listed:
        raise InputError(f"{cnn.where('convs')}: expected a list of convolutions, found {listed!r}")
    sections = [
        SectionReader(cnn.source, f"{cnn.path}.convs[{index}]", values, cnn.left_out)
        for index, values in enumerate(listed)
    ]
    layers = [_convolution(section) for section in sections]
    cnn.finish(CNN_NEUTRAL, {}, INITIALIZER)
    return {"convs": layers, "activation": activation}


def read_recurrence(network: SectionReader) -> Recurrence:
    """Read `rnn`. Raises `InputError` for an unknown kind of layer or an invalid width."""
    rnn = network.section("rnn")
    name = str(rnn.text("name", "lstm"))
    if name not in ("lstm", "gru"):
        raise UnknownNameError("recurrent layer", name, ("lstm", "gru"), where=rnn.where("name"))
    if name == "gru":
        rnn.leave("name", "an LSTM of the same width stands in for a GRU")
    result = Recurrence(rnn.whole("units", least=1), rnn.whole("layers", 1, least=1), rnn.flag("before_mlp", False))
    rnn.finish(RNN_NEUTRAL, {})
    return result


def _convolution(conv: SectionReader) -> dict[str, int]:
    layer = {
        "filters": conv.whole("filters", least=1),
        "kernel_size": conv.whole("kernel_size", least=1),
        "strides": conv.whole("strides", 1, least=1),
        "padding": conv.whole("padding", 0, least=0),
    }
    conv.finish({}, {})
    return layer


def _activation(section: SectionReader) -> str:
    name = str(section.text("activation", "relu"))
    if name.lower() not in ACTIVATIONS:
        raise UnknownNameError("activation", name, ACTIVATIONS, where=section.where("activation"))
    return ACTIVATIONS[name.lower()]
