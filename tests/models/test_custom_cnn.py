from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rl_pipeline.errors import InputError
from rl_pipeline.models.feature_extractors.custom_cnn import CustomCNN


@pytest.mark.parametrize("size", [16, 40, 84])
def test_the_convolutional_network_takes_images(size: int) -> None:
    extractor = CustomCNN(spaces.Box(0, 255, (3, size, size), np.uint8), features_dim=32)
    assert extractor(torch.rand(2, 3, size, size)).shape == (2, 32)


def test_the_convolutional_network_refuses_flat_observations() -> None:
    with pytest.raises(InputError, match="CustomCNN: needs image observations"):
        CustomCNN(spaces.Box(-1, 1, (4,)))
