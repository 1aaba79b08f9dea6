"""Figures that observers log of ended episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.rl_games import (
    AlgoObserver,
    DefaultAlgoObserver,
    IsaacAlgoObserver,
    MultiObserver,
    register_observer,
)


class Writer:
    """Stand-in for `ObservedAlgorithm` that keeps scalars."""

    def __init__(self, games: int = 3) -> None:
        self.games_to_track, self.scalars = games, {}  # type: ignore[var-annotated]
        self.experiment_dir = Path()

    def add_scalar(self, tag: str, value: float, step: float) -> None:
        self.scalars[tag] = (value, step)


def logged_scalars(
    observer: AlgoObserver, steps: list[tuple[list[dict[str, Any]], list[int]]]
) -> dict[str, tuple[float, float]]:
    writer = Writer()
    observer.after_init(writer)  # type: ignore[arg-type]
    for infos, done in steps:
        observer.process_infos(infos, np.array(done, np.intp))
    observer.after_print_stats(100, 5, 2.5)
    return writer.scalars


def test_scores_of_the_latest_episodes_are_logged_over_frames_epochs_and_seconds() -> None:
    steps = [([{"scores": score}, {}], [0]) for score in (100.0, 1.0, 2.0, 3.0)]
    assert logged_scalars(DefaultAlgoObserver(), steps) == {
        "scores/mean": (2.0, 100), "scores/iter": (2.0, 5), "scores/time": (2.0, 2.5)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("info", "score"),
    [
        ({"scores": 2, "is_success": False}, 2.0),
        ({"battle_won": True}, 1.0),
        ({"is_success": np.array([False])}, 0.0),
    ],
)
def test_the_outcome_of_an_episode_goes_by_several_names(info: dict[str, Any], score: float) -> None:
    assert logged_scalars(DefaultAlgoObserver(), [([info], [0])])["scores/mean"][0] == score


def test_episodes_without_an_outcome_and_infos_on_the_way_are_not_logged() -> None:
    assert logged_scalars(DefaultAlgoObserver(), [([{"scores": 1.0}], []), ([{"episode": {"r": 1.0}}], [0])]) == {}


def test_the_isaac_observer_logs_numbers_of_episodes_and_steps() -> None:
    infos = [{"episode": {"r": 1.0, "goal": 4}, "height": 0.5, "name": "a"}, {"episode": {"r": 3.0}}]
    scalars = logged_scalars(IsaacAlgoObserver(), [(infos, [0, 1])])
    assert scalars["Episode/r"] == (2.0, 5)
    assert scalars["Episode/goal"] == (4.0, 5)
    assert scalars["height/frame"] == (0.5, 100)
    assert not any("name" in tag for tag in scalars)


def test_several_observers_are_called_in_their_order() -> None:
    order: list[str] = []

    class Named(AlgoObserver):
        def __init__(self, name: str) -> None:
            self.name = name

        def after_steps(self) -> None:
            order.append(self.name)

    MultiObserver([Named("first"), Named("second")]).after_steps()
    assert order == ["first", "second"]


def test_an_observer_is_registered_once() -> None:
    register_observer("quiet", AlgoObserver)
    with pytest.raises(InputError, match="observer 'quiet' is registered already"):
        register_observer("quiet", AlgoObserver)
