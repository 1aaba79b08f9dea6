"""Residual multi-layer perceptron for flat observations."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from torch import nn

from rl_pipeline.models.blocks.residual import ResidualBlock
from rl_pipeline.models.feature_extractors.base_extractor import BaseFeaturesExtractor


class ResnetMLP(BaseFeaturesExtractor):
    """Linear layer followed by residual blocks of constant width.

    Args:
        observation_space: any space that Stable-Baselines3 flattens to a vector.
        features_dim: width of the blocks and size of the features.
        num_blocks: number of residual blocks.
    """

    def __init__(self, observation_space: spaces.Space[Any], features_dim: int = 128, num_blocks: int = 2) -> None:
        super().__init__(observation_space, features_dim)
        # Any shape becomes a vector; the blocks keep its width.
        self.network = nn.Sequential(
            nn.Flatten(),
            nn.Linear(spaces.flatdim(observation_space), features_dim),
            *(ResidualBlock(features_dim) for _ in range(num_blocks)),
            nn.ReLU(),
        )

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Compute features, shape (N, features_dim), of observations, shape (N, ...)."""
        features: torch.Tensor = self.network(observations)
        return features
