"""Convolutional network with layers listed in the configuration."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from gymnasium import spaces
from torch import nn

from rl_pipeline.errors import InputError
from rl_pipeline.models.feature_extractors.base_extractor import BaseFeaturesExtractor

NATURE: Final = (
    {"filters": 32, "kernel_size": 8, "strides": 4},
    {"filters": 64, "kernel_size": 4, "strides": 2},
    {"filters": 64, "kernel_size": 3, "strides": 1},
)
"""Convolutions of Mnih et al. 2015, "Human-level control through deep reinforcement learning", Nature 518."""


class ConvNet(BaseFeaturesExtractor):
    """Convolutions, then linear layers, each with an activation.

    Args:
        observation_space: a Box of shape (channels, height, width); Stable-Baselines3 transposes and scales images.
        convs: for each convolution `filters`, `kernel_size`, `strides` (1) and `padding` (0).
        activation: class of torch.nn by name, after each convolution.
        units: widths of the linear layers; the last is the size of the features. If empty, the features are the
            flattened output of the last convolution.
        mlp_activation: class of torch.nn by name, after each linear layer.

    Raises:
        InputError: the observation is not an image, or too small for the convolutions.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        convs: Sequence[Mapping[str, int]] = NATURE,
        activation: str = "ReLU",
        units: Sequence[int] = (512,),
        mlp_activation: str = "ReLU",
    ) -> None:
        shape = image_shape(observation_space, type(self).__name__)
        # Convolutions, each on the channels of the one before.
        layers: list[nn.Module] = []
        channels = shape[0]
        for conv in convs:
            layers += [
                nn.Conv2d(
                    channels, conv["filters"], conv["kernel_size"], conv.get("strides", 1), conv.get("padding", 0)
                ),
                getattr(nn, activation)(),
            ]
            channels = conv["filters"]
        # An image of zeros gives the size of the flattened output.
        network = nn.Sequential(*layers, nn.Flatten())
        try:
            with torch.no_grad():
                size = int(network(torch.zeros(1, *shape)).shape[1])
        except RuntimeError as error:
            raise InputError(
                f"ConvNet: images of shape {shape} are too small for these convolutions: {error}"
            ) from None
        # Stable-Baselines3's constructor needs the size of the features, and must run before modules are assigned.
        widths = [size, *units]
        super().__init__(observation_space, widths[-1])
        self.network = nn.Sequential(*network, *linear_layers(widths, mlp_activation))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Compute features, shape (N, features_dim), of images, shape (N, channels, height, width) in 0..1."""
        features: torch.Tensor = self.network(observations)
        return features


def image_shape(observation_space: spaces.Space[Any], name: str) -> tuple[int, ...]:
    """Return the shape (channels, height, width) of an image space.

    Raises:
        InputError: the space is not one of images; the message has the `name` of the network.
    """
    shape = observation_space.shape
    if shape is None or len(shape) != 3:
        raise InputError(f"{name}: needs image observations (channels, height, width), found {observation_space}")
    return shape


def linear_layers(widths: Sequence[int], activation: str) -> list[nn.Module]:
    """Make linear layers from each width to the next, each followed by an activation."""
    layers: list[nn.Module] = []
    for width, following in itertools.pairwise(widths):
        layers += [nn.Linear(width, following), getattr(nn, activation)()]
    return layers
