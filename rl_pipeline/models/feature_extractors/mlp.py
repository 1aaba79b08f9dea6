"""A multi-layer perceptron for flat observations: a trunk that policy and value function share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from gymnasium import spaces
from torch import nn

from rl_pipeline.models.feature_extractors.base_extractor import BaseFeaturesExtractor


class MLP(BaseFeaturesExtractor):
    """Linear layers, each with an activation.

    Args:
        observation_space: any space that Stable-Baselines3 flattens to a vector.
        units: widths of the layers, at least one; the last is the size of the features.
        activation: class of torch.nn by name.
    """

    def __init__(
        self, observation_space: spaces.Space[Any], units: Sequence[int] = (64, 64), activation: str = "Tanh"
    ) -> None:
        super().__init__(observation_space, units[-1])
        widths = [spaces.flatdim(observation_space), *units]
        layers: list[nn.Module] = [nn.Flatten()]
        for width, following in itertools.pairwise(widths):
            layers += [nn.Linear(width, following), getattr(nn, activation)()]
        self.network = nn.Sequential(*layers)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Observations, shape (N, ...), to features, shape (N, units[-1])."""
        features: torch.Tensor = self.network(observations)
        return features
