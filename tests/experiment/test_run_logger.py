"""Loggers of the user's own: the one of docs/add_a_logger.md, and faulty ones."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from rl_pipeline.config import load_config
from rl_pipeline.config.schema import Config
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.loggers.run_logger import LoggerState, RunLogger, RunLoggers
from rl_pipeline.run.rl_trainer import RLTrainer

PAGE = Path(__file__).parents[2] / "docs" / "add_a_logger.md"
EXPERIMENT = """
environment: {id: CartPole-v1, horizon: 40, render_mode: null, video_wrapper: false}
algorithm: {name: ppo, parameters: {n_steps: 16, batch_size: 16, n_epochs: 1}}
training: {total_timesteps: 64, device: cpu, log_points: 1, eval: {num_evals: 0}}
evaluation: {num_episodes: 5}
n_environments: 2
"""


class Recorded(RunLogger):
    """Keeps the names of the calls it gets; raises at those in `fails_at`."""

    def __init__(self, fails_at: tuple[str, ...] = ()) -> None:
        self.calls: list[str] = []
        self._fails_at = fails_at

    def _note(self, name: str) -> None:
        self.calls.append(name)
        if name in self._fails_at:
            raise RuntimeError(f"no {name} today")

    def start(self, folder: ExperimentFolder, config: Config) -> None:
        self._note("start")

    def log_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        self._note("log_scalars")

    def log_file(self, path: Path) -> None:
        self._note(f"log_file {path.name}")

    def finish(self, exit_code: int) -> None:
        self._note(f"finish {exit_code}")

    def state_dict(self) -> LoggerState:
        return {"calls": len(self.calls)}

    def load_state_dict(self, state: LoggerState) -> None:
        self._note(f"load {state['calls']}")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory for modules of a user, which are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def train(place: Path, loggers: str, *modules: str) -> ExperimentFolder:
    (place / "experiment.yaml").write_text(f"{EXPERIMENT}modules: [{', '.join(modules)}]\nloggers: {loggers}\n")
    return RLTrainer(load_config(config_file=place / "experiment.yaml")).train().folder


def test_the_logger_of_the_page_logs_the_scalars_of_a_training(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "my_loggers.py").write_text(blocks("python")[0])
    (place / "my_experiment.yaml").write_text(blocks("yaml")[0])
    monkeypatch.delitem(sys.modules, "my_loggers", raising=False)
    configured = load_config(config_file=place / "my_experiment.yaml").loggers
    assert configured == {"json_lines": {"prefix": "rollout/"}}
    folder = train(place, "{json_lines: {prefix: rollout/}}", "my_loggers")
    lines = [json.loads(line) for line in (folder.path / "scalars.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [32, 64]
    assert {"step", "rollout/ep_rew_mean", "rollout/ep_len_mean"} == set(lines[-1])


def test_a_logger_that_fails_is_dropped_with_its_line_of_code_and_training_goes_on(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (place / "faulty_logger.py").write_text(
        "from rl_pipeline import RunLogger, register_logger\n"
        "class Faulty(RunLogger):\n"
        "    def log_scalars(self, scalars, step):\n"
        "        if step > 32:\n"
        "            raise OSError('tracker gone')\n"
        "    def finish(self, exit_code):\n"
        "        open('finished', 'w').write(str(exit_code))\n"
        "register_logger('faulty', Faulty)\n"
    )
    with caplog.at_level(logging.WARNING):
        folder = train(place, "{faulty: true}", "faulty_logger")
    warnings = [message for message in caplog.messages if "faulty" in message]
    assert warnings == [
        "faulty could not log scalars: OSError: tracker gone (faulty_logger.py, line 5, in log_scalars); "
        "training goes on without it"
    ]
    assert (place / "finished").read_text() == "1"
    assert folder.evaluation.is_file()


def test_the_others_go_on_after_one_has_failed(tmp_path: Path) -> None:
    faulty, sound = Recorded(fails_at=("start",)), Recorded()
    loggers = RunLoggers({"faulty": faulty, "sound": sound})
    (tmp_path / "a").touch()
    loggers.start(ExperimentFolder(tmp_path), Config(), {"sound": {"calls": 7}, "gone": {}})
    loggers.log_scalars({"x": 1.0}, 1)
    loggers.log_video(tmp_path / "a", 1)
    loggers.log_file(tmp_path / "missing")
    assert loggers.names == ["sound"]
    assert loggers.state_dict() == {"sound": {"calls": 4}}
    loggers.finish(0)
    loggers.finish(0)
    assert faulty.calls == ["start", "finish 1"]
    assert sound.calls == ["load 7", "start", "log_scalars", "log_file a", "finish 0"]
