from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.model_files import ModelFile

DEADLINE = 60.0


def wait_for_checkpoint(directory: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not list(directory.glob("experiments/*/*/*/checkpoints/*.zip")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def start(workplace: Path) -> subprocess.Popen[str]:
    """A training of hours with a checkpoint every 200 steps."""
    overrides = ["algorithm.name=dqn", "~algorithm.parameters", "+algorithm.parameters.learning_starts=50"]
    length = ["training.total_timesteps=10000000", "training.log_points=50000"]
    return subprocess.Popen(
        [sys.executable, "-m", "rl_pipeline.cli", "train", "--config", "cartpole.yaml", *overrides, *length],
        cwd=workplace, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_everything_and_says_how_to_go_on(workplace: Path, number: signal.Signals) -> None:
    process = start(workplace)
    try:
        wait_for_checkpoint(workplace, process)
        process.send_signal(number)
        output, errors = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    folder = ExperimentFolder.find("test", workplace / "experiments")
    assert process.returncode == 130, errors
    assert "rl-pipeline train --config" in output
    assert f"training.pretrained_model={folder.model.relative_to(workplace)}" in output
    assert ModelFile.open(folder.model).config
    assert folder.replay_buffer.exists()
    assert folder.curves.exists()
    assert json.loads(folder.metadata.read_text())["status"] == "interrupted"


@pytest.mark.slow
def test_a_second_signal_ends_the_run_at_once_and_leaves_no_half_of_a_file(workplace: Path) -> None:
    process = start(workplace)
    try:
        wait_for_checkpoint(workplace, process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    folder = ExperimentFolder.find("test", workplace / "experiments")
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert json.loads(folder.metadata.read_text())["status"] == "interrupted"
    assert all(ModelFile.open(path).config for path in folder.path.rglob("*.zip"))
    assert not list(folder.path.rglob(".*.partial.*"))


@pytest.mark.slow
def test_a_killed_run_has_whole_checkpoints_to_go_on_from(workplace: Path) -> None:
    process = start(workplace)
    try:
        wait_for_checkpoint(workplace, process)
    finally:
        process.kill()
        process.communicate()
    folder = ExperimentFolder.find("test", workplace / "experiments")
    checkpoints = list(folder.checkpoints.glob("[!.]*.zip"))
    assert all(ModelFile.open(path).config for path in checkpoints)
    further = [f"training.pretrained_model={checkpoints[-1]}", "training.total_timesteps=64"]
    result = subprocess.run(
        [sys.executable, "-m", "rl_pipeline.cli", "train", "--config", str(folder.config), *further],
        cwd=workplace, capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert f"starting from {checkpoints[-1]}" in result.stderr


@pytest.mark.slow
def test_a_closed_terminal_saves_everything(workplace: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(workplace)
        length = ["training.total_timesteps=10000000", "training.log_points=50000"]
        command = [sys.executable, "-m", "rl_pipeline.cli", "train", "--config", "cartpole.yaml", *length]
        os.execv(sys.executable, command)
    deadline = time.monotonic() + DEADLINE
    while not list(workplace.glob("experiments/*/*/*/checkpoints/*.zip")):
        assert time.monotonic() < deadline
        if select.select([terminal], [], [], 0.05)[0]:
            os.read(terminal, 65536)
    os.close(terminal)
    os.waitpid(pid, 0)
    folder = ExperimentFolder.find("test", workplace / "experiments")
    assert json.loads(folder.metadata.read_text())["status"] == "interrupted"
    assert ModelFile.open(folder.model).config
