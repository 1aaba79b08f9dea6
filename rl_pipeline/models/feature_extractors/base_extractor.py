"""The class that every feature extractor of this folder derives from."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor as StableBaselines3Extractor


class BaseFeaturesExtractor(StableBaselines3Extractor):
    """Turns a batch of observations into features; policy and value networks work on these.

    A subclass in a file of this folder can be named in `algorithm.architecture.features_extractor_class`. Its
    constructor takes the observation space, then whatever `features_extractor_kwargs` gives by keyword.

    Args:
        observation_space: space of one observation.
        features_dim: size of the features, > 0.
    """

    def __init__(self, observation_space: spaces.Space[Any], features_dim: int = 1) -> None:
        super().__init__(observation_space, features_dim)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Observations, shape (N, *observation_space.shape), to features, shape (N, features_dim)."""
        raise NotImplementedError
