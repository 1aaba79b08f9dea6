"""Multi-layer perceptron for flat observations: a trunk shared by policy and value function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from gymnasium import spaces
from torch import nn

from rl_pipeline.models.feature_extractors.base_extractor import BaseFeaturesExtractor
from rl_pipeline.models.feature_extractors.conv_net import linear_layers


class MLP(BaseFeaturesExtractor):
    """Linear layers, each followed by an activation.

    Args:
        observation_space: any space that Stable-Baselines3 flattens to a vector.
        units: widths of the layers, at least one; the last is the size of the features.
        activation: class of torch.nn by name.
    """

    def __init__(
        self, observation_space: spaces.Space[Any], units: Sequence[int] = (64, 64), activation: str = "Tanh"
    ) -> None:
        super().__init__(observation_space, units[-1])
        # The first layer takes the flattened observation.
        widths = [spaces.flatdim(observation_space), *units]
        self.network = nn.Sequential(nn.Flatten(), *linear_layers(widths, activation))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Compute features, shape (N, units[-1]), of observations, shape (N, ...)."""
        features: torch.Tensor = self.network(observations)
        return features
