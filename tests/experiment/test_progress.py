from __future__ import annotations

import io
import logging
import time

import pytest
from rich.console import Console

from rl_pipeline.experiment.loggers import progress as module
from rl_pipeline.experiment.loggers.progress import TrainingProgress
from rl_pipeline.experiment.recording.episodes import EpisodeHistory


@pytest.fixture
def history() -> EpisodeHistory:
    history = EpisodeHistory()
    history.add(10, 2.5, 10, True)
    return history


def test_a_terminal_shows_speed_return_success_and_time_left(history: EpisodeHistory) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with TrainingProgress(100, history, console) as progress:
        progress._shown -= 1.0
        progress.update(50)
    text = screen.getvalue()
    assert "50%" in text
    assert "steps/s, return 2.5, success 100%" in text
    assert ":" in text.rsplit("success", 1)[-1], "time left"


def test_without_a_terminal_a_line_is_logged_now_and_then(
    history: EpisodeHistory, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.monotonic()]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    with caplog.at_level(logging.INFO), TrainingProgress(1000, history, None) as progress:
        for steps in range(0, 250, 10):
            clock[0] += 1.0
            progress.update(steps)
    lines = [record.message for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("90 of 1000 steps (9%), 9 steps/s, return 2.5, success 100%")
