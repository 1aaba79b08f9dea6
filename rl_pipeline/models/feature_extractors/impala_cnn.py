"""Residual convolutional network of IMPALA (Espeholt et al. 2018, arXiv:1802.01561)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from gymnasium import spaces
from torch import nn

from rl_pipeline.models.feature_extractors.base_extractor import BaseFeaturesExtractor
from rl_pipeline.models.feature_extractors.conv_net import image_shape, linear_layers


class ImpalaCNN(BaseFeaturesExtractor):
    """Stages of a convolution, a max-pooling by two and two residual blocks, then linear layers.

    Args:
        observation_space: a Box of shape (channels, height, width); Stable-Baselines3 transposes and scales images.
        depths: filters of each stage.
        activation: class of torch.nn by name.
        units: widths of the linear layers, at least one; the last is the size of the features.

    Raises:
        InputError: the observation is not an image.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        depths: Sequence[int] = (16, 32, 32),
        activation: str = "ReLU",
        units: Sequence[int] = (256,),
    ) -> None:
        shape = image_shape(observation_space, type(self).__name__)
        # Stages; each halves height and width.
        layers: list[nn.Module] = []
        channels = shape[0]
        for depth in depths:
            layers += [
                nn.Conv2d(channels, depth, kernel_size=3, padding=1),
                nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
                ConvolutionalResidualBlock(depth, activation),
                ConvolutionalResidualBlock(depth, activation),
            ]
            channels = depth
        # An image of zeros gives the size of the flattened output.
        network = nn.Sequential(*layers, getattr(nn, activation)(), nn.Flatten())
        with torch.no_grad():
            size = int(network(torch.zeros(1, *shape)).shape[1])
        super().__init__(observation_space, units[-1])
        self.network = nn.Sequential(*network, *linear_layers([size, *units], activation))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Compute features, shape (N, units[-1]), of images, shape (N, channels, height, width) in 0..1."""
        features: torch.Tensor = self.network(observations)
        return features


class ConvolutionalResidualBlock(nn.Module):
    """Two pre-activated convolutions with a skip connection; shape unchanged.

    Args:
        depth: number of channels.
        activation: class of torch.nn by name.
    """

    def __init__(self, depth: int, activation: str) -> None:
        super().__init__()
        function = getattr(nn, activation)
        self.layers = nn.Sequential(
            function(),
            nn.Conv2d(depth, depth, kernel_size=3, padding=1),
            function(),
            nn.Conv2d(depth, depth, kernel_size=3, padding=1),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute images, shape (N, depth, height, width), of images of the same shape."""
        features: torch.Tensor = images + self.layers(images)
        return features
