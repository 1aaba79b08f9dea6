"""Residual blocks of fully connected layers."""

from __future__ import annotations

import torch
from torch import nn


class ResidualBlock(nn.Module):
    """Two pre-activated linear layers with a skip connection (He et al. 2016, arXiv:1603.05027); width unchanged.

    Args:
        width: size of the last axis of input and output.
        activation_fn: class of the activation.
    """

    def __init__(self, width: int, activation_fn: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        # Normalise and activate before each layer, so that the skip connection stays an identity.
        self.residual = nn.Sequential(
            nn.LayerNorm(width), activation_fn(), nn.Linear(width, width), activation_fn(), nn.Linear(width, width)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Compute features, shape (N, width), of features of the same shape."""
        output: torch.Tensor = features + self.residual(features)
        return output
