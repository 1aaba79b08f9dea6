"""The search space of a sweep: extremes to check, and names of its options."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline.sweeps.space import Choice, Range, SearchSpace

SPACE = """
algorithm.parameters.gamma: {uniform: [0.9, 0.99]}
algorithm.parameters.n_epochs: {logint: [1, 8]}
algorithm.architecture.net_arch: {choice: [[4], [8, 8], small]}
"""


@pytest.fixture
def space(tmp_path: Path) -> SearchSpace:
    file = tmp_path / "space.yaml"
    file.write_text(SPACE)
    return SearchSpace.read(file)


def test_kinds_of_ranges_are_read(space: SearchSpace) -> None:
    assert space.dimensions == {
        "algorithm.parameters.gamma": Range(0.9, 0.99, whole=False, log=False),
        "algorithm.parameters.n_epochs": Range(1, 8, whole=True, log=True),
        "algorithm.architecture.net_arch": Choice(([4], [8, 8], "small")),
    }


def test_each_extreme_is_in_a_sample(space: SearchSpace) -> None:
    samples = space.extremes()
    for key, dimension in space.dimensions.items():
        values = [sample[key] for sample in samples]
        assert all(extreme in values for extreme in dimension.extremes())
    assert len(samples) == 1 + 1 + 1 + 2


def test_options_that_are_lists_are_named_by_their_json(space: SearchSpace) -> None:
    choice = space.dimensions["algorithm.architecture.net_arch"]
    assert isinstance(choice, Choice)
    assert choice.names() == ["[4]", "[8, 8]", "small"]
