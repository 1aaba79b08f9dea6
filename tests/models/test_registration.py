from __future__ import annotations

from pathlib import Path

import pytest
import torch
from gymnasium import spaces

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.models.feature_extractors import find_feature_extractor, register_feature_extractor, registration
from rl_pipeline.models.feature_extractors.custom_cnn import CustomCNN
from rl_pipeline.models.feature_extractors.resnet_mlp import ResnetMLP

EXTRACTOR = """
import torch
from rl_pipeline.models.feature_extractors.base_extractor import BaseFeaturesExtractor

class Halves(BaseFeaturesExtractor):
    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return observations / 2
"""


def test_the_extractors_of_the_package_are_found_by_name() -> None:
    assert find_feature_extractor("ResnetMLP") is ResnetMLP
    assert find_feature_extractor("CustomCNN") is CustomCNN


def test_a_file_dropped_in_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "halves.py").write_text(EXTRACTOR)
    extractor = find_feature_extractor("Halves", tmp_path)(spaces.Box(-1, 1, (2,)), 2)
    assert extractor(torch.ones(1, 2)).tolist() == [[0.5, 0.5]]


def test_an_unknown_extractor_is_refused_with_those_found(tmp_path: Path) -> None:
    (tmp_path / "halves.py").write_text(EXTRACTOR)
    with pytest.raises(UnknownNameError, match=r"unknown feature extractor 'Zzz'; valid: .*Halves"):
        find_feature_extractor("Zzz", tmp_path)


def test_a_broken_file_matters_only_when_the_class_is_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "halves.py").write_text(EXTRACTOR)
    (tmp_path / "broken.py").write_text("import no_such_module")
    assert find_feature_extractor("Halves", tmp_path).__name__ == "Halves"
    with pytest.raises(InputError, match=r"'Other' is not found, and .*broken.py cannot be imported: ModuleNotFound"):
        find_feature_extractor("Other", tmp_path)


def test_a_name_belongs_to_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ("_entries", "_names"):
        monkeypatch.setattr(registration.EXTRACTORS, table, {})
    register_feature_extractor("Mine", CustomCNN)
    register_feature_extractor("Mine", CustomCNN)
    assert find_feature_extractor("Mine") is CustomCNN
    with pytest.raises(InputError, match="feature extractor 'Mine' is registered already"):
        register_feature_extractor("Mine", ResnetMLP)
