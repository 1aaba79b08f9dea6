from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rl_pipeline.experiment.checkpoints import saved_states
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.model_files import ModelFile

DEADLINE = 60.0


def wait_for_checkpoint(directory: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not list(directory.glob("experiments/*/*/*/checkpoints/*.zip")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_everything_and_says_how_to_go_on(workplace: Path, number: signal.Signals) -> None:
    overrides = ["algorithm.name=dqn", "~algorithm.parameters", "+algorithm.parameters.learning_starts=50"]
    length = ["training.total_timesteps=10000000", "training.log_points=50000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "rl_pipeline.cli", "train", "--config", "cartpole.yaml", *overrides, *length],
        cwd=workplace, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for_checkpoint(workplace, process)
        process.send_signal(number)
        output, errors = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    folder = ExperimentFolder.find("test", workplace / "experiments")
    assert process.returncode == 130, errors
    assert f"rl-pipeline resume {folder.path.relative_to(workplace)}" in output
    assert saved_states(folder)
    assert ModelFile.open(folder.model).config
    assert folder.replay_buffer.exists()
    assert folder.curves.exists()
    assert json.loads(folder.metadata.read_text())["status"] == "interrupted"
