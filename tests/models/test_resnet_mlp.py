from __future__ import annotations

import torch
from gymnasium import spaces

from rl_pipeline.models.feature_extractors.resnet_mlp import ResnetMLP


def test_the_residual_network_gives_features_and_gradients() -> None:
    extractor = ResnetMLP(spaces.Box(-1, 1, (3, 2)), features_dim=16)
    features = extractor(torch.rand(5, 3, 2))
    features.sum().backward()
    assert features.shape == (5, 16)
    assert all(parameter.grad is not None for parameter in extractor.parameters())
