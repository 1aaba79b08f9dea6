"""Arithmetic that benchmarks share."""

import pytest

from rl_pipeline.benchmarks.figures import interleave, spread, times


def test_cases_take_turns_and_their_names_are_passed_to_progress():
    shown = []
    cases = interleave([("slow", 1), ("fast", 2)], 2, shown.append)
    assert list(cases) == [1, 2, 1, 2]
    assert shown == ["slow (1 of 2)", "fast (1 of 2)", "slow (2 of 2)", "fast (2 of 2)"]


def test_a_ratio_is_the_median_pair_by_pair():
    assert times([2.0, 30.0, 4.0], [1.0, 10.0, 1.0]) == 3.0
    with pytest.raises(ValueError, match="shorter"):
        times([1.0, 2.0], [1.0])


def test_a_spread_is_the_least_to_the_greatest():
    assert spread([1.5, 0.25, 1.0]) == "0.25 to 1.50"
