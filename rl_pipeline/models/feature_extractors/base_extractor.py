"""Base class of the feature extractors of this folder."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor as StableBaselines3Extractor


class BaseFeaturesExtractor(StableBaselines3Extractor):
    """Network from a batch of observations to a batch of features, the input of policy and value networks.

    A subclass in a file of this folder is available by its name as `algorithm.architecture.features_extractor_class`.
    Its constructor takes the observation space, then `features_extractor_kwargs` by keyword.

    Args:
        observation_space: space of one observation.
        features_dim: size of the features, > 0.
    """

    def __init__(self, observation_space: spaces.Space[Any], features_dim: int = 1) -> None:
        super().__init__(observation_space, features_dim)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Compute features, shape (N, features_dim), of observations, shape (N, *observation_space.shape)."""
        raise NotImplementedError
