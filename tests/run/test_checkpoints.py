"""Due points of checkpoints."""

from __future__ import annotations

import pytest

from rl_pipeline.config.schema import TrainingConfig
from rl_pipeline.experiment.recording.episodes import EpisodeHistory
from rl_pipeline.run.callbacks.checkpoints import CheckpointSchedule


def due(schedule: CheckpointSchedule, steps: list[int]) -> list[int]:
    return [step for step in steps if schedule.is_due(step)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"log_points": 2}, [50, 100]),
        ({"log_points": 1, "save_freq": 40}, [40, 80, 100]),
        ({"log_points": 4, "save_freq": 50}, [30, 50, 80, 100]),
    ],
)
def test_even_points_and_intervals_are_both_due(settings: dict[str, int], expected: list[int]) -> None:
    training = TrainingConfig.model_validate({"total_timesteps": 100, **settings})
    assert due(CheckpointSchedule(training, EpisodeHistory()), list(range(10, 101, 10))) == expected


def test_intervals_may_count_episodes() -> None:
    settings = {"total_timesteps": 100, "log_points": 1, "save_freq": 2, "save_freq_unit": "episodes"}
    history = EpisodeHistory()
    schedule = CheckpointSchedule(TrainingConfig.model_validate(settings), history)
    found = []
    for step in range(10, 60, 10):
        history.add(step, 1.0, 10, None)
        found += due(schedule, [step])
    assert found == [20, 40]
