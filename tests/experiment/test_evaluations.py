from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_pipeline.experiment.checkpoints.checkpointer import Milestones
from rl_pipeline.experiment.evaluations import Episodes, EvaluationLog, summarise
from rl_pipeline.experiment.plots.training_curves import draw_curves, rolling_mean
from rl_pipeline.experiment.recording.episodes import EpisodeHistory
from rl_pipeline.experiment.statistics import bootstrap_interval, interquartile_mean


def episodes(returns: list[float], successes: list[bool] | None = None, lost: list[bool] | None = None) -> Episodes:
    return Episodes(
        np.array(returns, float),
        np.arange(1, len(returns) + 1),
        None if successes is None else np.array(successes),
        np.zeros(len(returns), bool) if lost is None else np.array(lost),
    )


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_the_interval_contains_the_mean(returns: list[float]) -> None:
    summary = summarise(episodes(returns))
    assert summary is not None
    assert summary.return_interval is not None
    low, high = summary.return_interval
    margin = 1e-6 * (1 + max(abs(value) for value in returns))
    assert low - margin <= summary.mean_return <= high + margin


def test_success_has_an_interval_that_does_not_claim_certainty() -> None:
    summary = summarise(episodes([1.0] * 100, [True] * 100))
    assert summary is not None
    assert summary.success_rate == 1.0
    assert summary.success_interval == (pytest.approx(0.963, abs=1e-3), 1.0)


def test_episodes_of_a_lost_simulator_do_not_count() -> None:
    summary = summarise(episodes([1.0, -100.0, 3.0], lost=[False, True, False]))
    assert summary is not None
    assert (summary.episodes, summary.mean_return, summary.lost) == (2, 2.0, 1)
    assert summarise(episodes([1.0], lost=[True])) is None


def test_one_episode_has_no_spread() -> None:
    summary = summarise(episodes([5.0]))
    assert summary is not None
    assert summary.sd_return is None
    assert summary.return_interval is None


def test_success_ranks_before_return() -> None:
    assert episodes([1.0], [True]).rank() > episodes([100.0], [False]).rank()
    assert episodes([2.0]).rank() > episodes([1.0]).rank()


def test_the_log_has_the_format_of_stable_baselines3(tmp_path: Path) -> None:
    log = EvaluationLog(tmp_path / "evaluations.npz")
    log.add(100, episodes([1.0, 2.0], [True, False]))
    log.add(200, episodes([3.0, 4.0], [True, True]))
    with np.load(tmp_path / "evaluations.npz") as arrays:
        assert arrays["timesteps"].tolist() == [100, 200]
        assert arrays["results"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
        assert arrays["ep_lengths"].shape == (2, 2)
        assert arrays["successes"].tolist() == [[True, False], [True, True]]


@given(st.integers(1, 10_000), st.integers(0, 20), st.integers(1, 64))
def test_as_many_milestones_as_asked_however_wide_the_steps(total: int, count: int, stride: int) -> None:
    milestones = Milestones(total, count)
    reached = sum(milestones.reached(step) for step in range(stride, total + stride, stride))
    assert reached <= count
    if stride * count <= total:
        assert reached == count


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.integers(1, 40))
def test_the_rolling_mean_looks_back_only(values: list[float], window: int) -> None:
    means = rolling_mean(values, window)
    for index, mean in enumerate(means):
        assert mean == pytest.approx(np.mean(values[max(0, index - window + 1) : index + 1]), abs=1e-6)


@pytest.mark.parametrize("count", [0, 1, 200])
def test_curves_are_drawn_whatever_there_is(tmp_path: Path, count: int) -> None:
    history, log = EpisodeHistory(), EvaluationLog(tmp_path / "evaluations.npz")
    for number in range(count):
        history.add(number * 10, float(number), 10, number % 2 == 0)
    if count:
        log.add(100, episodes([1.0, 2.0], [True, False]))
    draw_curves(tmp_path / "curves.png", "title", history, log)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert history.recent_success() == (None if not count else pytest.approx(0.5, abs=0.51))


def test_the_interquartile_mean_is_of_the_middle_half() -> None:
    assert interquartile_mean(np.array([-1000.0, 1.0, 2.0, 3.0, 4.0, 1000.0, 5.0, 6.0])) == 3.5
    assert interquartile_mean(np.array([[7.0], [9.0]])).tolist() == [7.0, 9.0]


@given(st.lists(st.lists(st.floats(-10, 10), min_size=2, max_size=9), min_size=1, max_size=4))
def test_an_interval_of_several_runs_lies_within_what_was_seen(runs: list[list[float]]) -> None:
    low, high = bootstrap_interval([np.array(run) for run in runs], interquartile_mean, resamples=50)
    assert min(map(min, runs)) - 1e-9 <= low <= high <= max(map(max, runs)) + 1e-9


def test_differences_between_runs_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    runs = [episodes(list(rng.normal(level, 1.0, 50))) for level in (0.0, 5.0, 10.0)]
    together, pooled = summarise(*runs), summarise(episodes([value for run in runs for value in run.returns]))
    assert together is not None
    assert pooled is not None
    assert together.mean_return == pytest.approx(pooled.mean_return)
    assert together.return_interval is not None
    assert pooled.return_interval is not None
    assert np.ptp(together.return_interval) > 2 * np.ptp(pooled.return_interval)
