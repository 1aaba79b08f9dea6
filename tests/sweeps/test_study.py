"""The study of a sweep: it samples, prunes, records, and hands out unfinished trials again after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rl_pipeline.sweeps.folder import SweepFolder, SweepSettings
from rl_pipeline.sweeps.space import SearchSpace

pytest.importorskip("optuna", reason="Optuna is an extra")

SETTINGS = SweepSettings(trials=6, objective="return", pruner="median", seed=0)
KEY = "algorithm.parameters.gamma"


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    (tmp_path / "space.yaml").write_text(f"{KEY}: {{uniform: [0.9, 0.99]}}\n")
    return SweepFolder(tmp_path)


def open_study(folder: SweepFolder) -> Any:
    from rl_pipeline.sweeps.study import SweepStudy

    return SweepStudy(folder, SearchSpace.read(folder.space), SETTINGS)


def test_results_are_counted_and_the_best_is_found(folder: SweepFolder) -> None:
    study = open_study(folder)
    for value in (1.0, 3.0, 2.0):
        number, sample = study.ask()
        assert 0.9 <= sample[KEY] <= 0.99
        study.finish(number, value)
    assert (study.best.number, study.best.value) == (1, 3.0)
    assert study.counts() == "3 done"


def test_a_result_that_is_no_number_is_a_failure(folder: SweepFolder) -> None:
    study = open_study(folder)
    study.finish(study.ask()[0], float("nan"))
    assert study.best is None
    assert study.counts() == "1 failed"


def test_a_trial_that_was_under_way_is_handed_out_again_with_its_sample(folder: SweepFolder) -> None:
    number, sample = open_study(folder).ask()
    reopened = open_study(folder)
    assert reopened.ended == 0
    assert reopened.ask() == (number, sample)
    assert reopened.ask()[0] == number + 1


def test_a_resumed_sweep_does_not_repeat_its_samples(folder: SweepFolder) -> None:
    first = open_study(folder)
    number, sample = first.ask()
    first.finish(number, 1.0)
    assert open_study(folder).ask()[1] != sample


def test_a_trial_below_the_median_is_ended_early(folder: SweepFolder) -> None:
    study = open_study(folder)
    for _ in range(5):
        number, _ = study.ask()
        assert not any(study.report(number, evaluation, 10.0) for evaluation in (1, 2))
        study.finish(number, 10.0)
    number, _ = study.ask()
    assert not study.report(number, 1, 0.0), "a single evaluation is too noisy"
    assert study.report(number, 2, 0.0)
    assert study.counts() == "5 done, 1 ended early"


def test_importances_need_a_few_different_results(folder: SweepFolder) -> None:
    study = open_study(folder)
    for value in range(4):
        assert study.importances() == {}
        study.finish(study.ask()[0], float(value))
    assert list(study.importances()) == [KEY]
