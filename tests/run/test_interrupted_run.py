"""However a run is ended, what it leaves is whole, says how it ended, and can be gone on from."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.checkpoints.run_state import read_states
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.run.interruption import Interruption

DEADLINE = 60.0
HOURS = ["training.total_timesteps=10000000", "training.log_points=50000"]
"""A training of hours with a checkpoint every 200 steps."""
DQN = ["algorithm.name=dqn", "~algorithm.parameters", "+algorithm.parameters.learning_starts=50"]
TRAIN = ["train", "--config", "cartpole.yaml", *HOURS]

Interrupted = Callable[..., int]

pytestmark = pytest.mark.slow


def has_checkpoint(place: Path) -> bool:
    return any(place.glob("experiments/*/*/*/checkpoints/[!.]*.zip"))


@pytest.fixture
def place(workplace: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None) -> Path:
    """The folder that the command is called in, as the working directory."""
    monkeypatch.chdir(workplace)
    return workplace


@pytest.fixture
def interrupted(place: Path, eventually: Callable[..., None]) -> Interrupted:
    """Train in this process, send it signals once there is a checkpoint, and return the command's exit code."""

    def train(*signals: signal.Signals) -> int:
        def send() -> None:
            eventually(lambda: has_checkpoint(place), DEADLINE)
            for number in signals:
                os.kill(os.getpid(), number)

        sender = threading.Thread(target=send)
        sender.start()
        code = cli.run([*TRAIN, *DQN])
        sender.join(DEADLINE)
        return code

    return train


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_everything_and_says_how_to_go_on(
    interrupted: Interrupted, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    assert interrupted(number) == 130
    folder = ExperimentFolder.find("test", Path("experiments"))
    assert f"rl-pipeline resume {folder.path}" in capsys.readouterr().out
    assert saved_states(folder)
    assert ModelFile.open(folder.model).config
    assert folder.replay_buffer.exists()
    assert folder.curves.exists()
    assert json.loads(folder.metadata.read_text())["status"] == "interrupted"


def test_a_second_signal_ends_the_run_at_once_and_leaves_no_half_of_a_file(
    interrupted: Interrupted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interrupted(signal.SIGINT, signal.SIGTERM) == 130
    folder = ExperimentFolder.find("test", Path("experiments"))
    assert "Traceback" not in capsys.readouterr().err
    assert json.loads(folder.metadata.read_text())["status"] == "interrupted"
    assert not folder.model.exists()
    states = set(folder.states.glob("*.zip"))
    assert all(read_states(path) for path in states)
    assert all(ModelFile.open(path).config for path in set(folder.path.rglob("*.zip")) - states)
    assert not list(folder.path.rglob(".*.partial.*"))


def test_a_second_signal_is_one_whatever_the_library_that_it_meets_makes_of_it() -> None:
    def write() -> None:
        with Interruption():
            os.kill(os.getpid(), signal.SIGINT)
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except KeyboardInterrupt:
                raise RuntimeError("unexpected pos 21568 vs 21520") from None

    with pytest.raises(KeyboardInterrupt):
        write()


def can_open_terminals() -> bool:
    try:
        terminals = os.openpty()
    except OSError:
        return False
    for terminal in terminals:
        os.close(terminal)
    return True


@pytest.mark.skipif(not can_open_terminals(), reason="no pseudo-terminal can be opened: mount devpts at /dev/pts")
def test_a_closed_terminal_saves_everything(place: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "rl_pipeline.cli", *TRAIN])
    try:
        deadline = time.monotonic() + DEADLINE
        while not has_checkpoint(place):
            assert time.monotonic() < deadline
            if select.select([terminal], [], [], 0.05)[0]:
                os.read(terminal, 65536)
    finally:
        os.close(terminal)
    _, status = os.waitpid(pid, 0)
    folder = ExperimentFolder.find("test", Path("experiments"))
    assert os.waitstatus_to_exitcode(status) == 130
    assert json.loads(folder.metadata.read_text())["status"] == "interrupted"
    assert ModelFile.open(folder.model).config


def test_a_killed_run_has_whole_checkpoints_to_go_on_from(
    place: Path, eventually: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "rl_pipeline.cli", *TRAIN]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: has_checkpoint(place) or process.poll() is not None, DEADLINE)
        finally:
            process.kill()
    folder = ExperimentFolder.find("test", Path("experiments"))
    checkpoints = list(folder.checkpoints.glob("[!.]*.zip"))
    assert all(ModelFile.open(path).config for path in checkpoints)
    further = [f"training.pretrained_model={checkpoints[-1]}", "training.total_timesteps=64", "training.log_points=1"]
    assert cli.run(["train", "--config", str(folder.config), *further]) == 0
    assert f"starting from {checkpoints[-1]}" in capsys.readouterr().err
