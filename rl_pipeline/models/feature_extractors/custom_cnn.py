"""Small convolutional network for images; an example to copy."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from torch import nn

from rl_pipeline.errors import InputError
from rl_pipeline.models.feature_extractors.base_extractor import BaseFeaturesExtractor


class CustomCNN(BaseFeaturesExtractor):
    """Three convolutions and a linear layer, for images of at least 16x16 pixels and any number of channels.

    Args:
        observation_space: a Box of shape (channels, height, width); Stable-Baselines3 transposes and scales images.
        features_dim: size of the features.

    Raises:
        InputError: the observation is not an image.
    """

    def __init__(self, observation_space: spaces.Space[Any], features_dim: int = 256) -> None:
        super().__init__(observation_space, features_dim)
        # Policies can be built on other spaces: say so instead of failing in a convolution.
        shape = observation_space.shape
        if shape is None or len(shape) != 3:
            raise InputError(
                f"CustomCNN: needs image observations (channels, height, width), found {observation_space}"
            )
        # Three strides of 2 leave an eighth of the height and width, at least 2x2; pooling makes the size of the output
        # independent of the size of the image.
        grid = 2 if min(shape[1:]) < 32 else 4
        self.convolutions = nn.Sequential(
            nn.Conv2d(shape[0], 32, kernel_size=5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(grid),
            nn.Flatten(),
        )
        # An image of zeros gives the size of the flattened output.
        with torch.no_grad():
            size = self.convolutions(torch.zeros(1, *shape)).shape[1]
        self.linear = nn.Sequential(nn.Linear(size, features_dim), nn.ReLU())

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Compute features, shape (N, features_dim), of images, shape (N, channels, height, width) in 0..1."""
        features: torch.Tensor = self.linear(self.convolutions(observations))
        return features
