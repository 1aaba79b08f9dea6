"""Convolutional feature extractors whose layers are listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from rl_pipeline.errors import InputError
from rl_pipeline.models.feature_extractors import find_feature_extractor

IMAGE = spaces.Box(0, 255, (4, 84, 84), np.uint8)


@pytest.mark.parametrize(
    ("name", "arguments", "features", "convolutions"),
    [
        ("ConvNet", {}, 512, [(32, 8, 4), (64, 4, 2), (64, 3, 1)]),
        ("ConvNet", {"convs": [{"filters": 8, "kernel_size": 8, "strides": 4, "padding": 2}], "units": []}, 8 * 21 * 21,
         [(8, 8, 4)]),
        ("ImpalaCNN", {"depths": [4, 8], "units": [16], "activation": "ELU"}, 16,
         [(4, 3, 1)] * 5 + [(8, 3, 1)] * 5),
    ],
)  # fmt: skip
def test_the_layers_are_those_that_are_listed(
    name: str, arguments: dict[str, Any], features: int, convolutions: list[tuple[int, int, int]]
) -> None:
    extractor = find_feature_extractor(name)(IMAGE, **arguments)
    assert extractor.features_dim == features
    assert extractor(torch.rand(2, 4, 84, 84)).shape == (2, features)
    found = [module for module in extractor.modules() if isinstance(module, nn.Conv2d)]
    assert [(conv.out_channels, conv.kernel_size[0], conv.stride[0]) for conv in found] == convolutions


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (spaces.Box(-1, 1, (3,)), r"ConvNet: needs image observations \(channels, height, width\), found Box"),
        (spaces.Box(0, 255, (3, 7, 7), np.uint8), r"images of shape \(3, 7, 7\) are too small for these convolutions"),
    ],
)
def test_observations_that_do_not_suit_are_refused(space: spaces.Space[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_feature_extractor("ConvNet")(space)
