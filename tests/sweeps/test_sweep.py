"""`rl-pipeline sweep`: killed, interrupted and resumed it runs every trial once, and its best configuration trains."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rl_pipeline import cli

DEADLINE = 300.0
TRIALS = 3
SPACE = """
algorithm.parameters.learning_rate: {loguniform: [1e-4, 1e-2]}
algorithm.parameters.n_epochs: {int: [1, 2]}
algorithm.architecture.net_arch: {choice: [[4], [8, 8]]}
"""
SWEEP = ["sweep", "--config", "cartpole.yaml", "--space", "space.yaml", "--trials", str(TRIALS), "--name", "small"]
RESUME = ["sweep", "--resume", "small"]

Eventually = Callable[[Callable[[], bool], float], None]


@pytest.fixture
def place(workplace: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None) -> Path:
    """A folder with an experiment and a space, as the working directory."""
    (workplace / "space.yaml").write_text(SPACE)
    monkeypatch.chdir(workplace)
    return workplace


@contextmanager
def sweeping(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "rl_pipeline.cli", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def descendants(pid: int) -> set[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, left = set(), {pid}
    while left:
        left = {child for child, parent in parents.items() if parent in left}
        found |= left
    return found


def begun(number: int) -> bool:
    return any(Path("experiments/sweeps/small").glob(f"*/*/trial_{number:03d}/config.yaml"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_sweep_that_is_killed_and_interrupted_runs_every_trial_once_and_leaves_nothing_running(
    place: Path, eventually: Eventually, is_running: Callable[[int], bool], capsys: pytest.CaptureFixture[str]
) -> None:
    with sweeping(*SWEEP) as process:
        eventually(lambda: begun(0) or process.poll() is not None, DEADLINE)
        started = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == -signal.SIGKILL, errors
    assert len(started) > 3  # Ray, and a process of the trial
    eventually(lambda: not any(map(is_running, started)), DEADLINE)

    with sweeping(*RESUME) as process:
        eventually(lambda: begun(1) or process.poll() is not None, DEADLINE)
        started = descendants(process.pid)
        process.terminate()
        said, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, errors
    assert "rl-pipeline sweep --resume small" in said
    eventually(lambda: not any(map(is_running, started)), DEADLINE)

    with sweeping(*RESUME) as process:
        said, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    assert "small: 1 trial to run; starting Ray" in errors or "small: 2 trials to run; starting Ray" in errors
    assert re.search(r"trial 2 begins: algorithm\.parameters\.learning_rate=\S+, .*net_arch=\[", errors)
    sweep = place / "experiments/sweeps/small"
    rows = list(csv.DictReader((sweep / "trials.csv").read_text().splitlines()))
    assert [row["trial"] for row in rows] == [str(number) for number in range(TRIALS)]
    assert {row["state"] for row in rows} <= {"done", "ended early"}
    assert len(list(sweep.glob("CartPole-v1/ppo/*"))) == TRIALS
    assert (sweep / "sweep.png").stat().st_size > 0
    assert f"{max(float(row['return']) for row in rows if row['return']):.4g}" in said

    assert cli.run(["train", "--config", str(sweep / "best.yaml"), "training.total_timesteps=64"]) == 0
    assert (place / "experiments/CartPole-v1/ppo/small_best/model.zip").is_file()
    assert cli.run(RESUME) == 2
    assert f"has run all its {TRIALS} trials" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("{}", "space.yaml: expected keys to vary"),
        ("training.seed: 3", "space.yaml: training.seed: expected a range such as"),
        ("training.seed: {unifrom: [0, 1]}", "did you mean 'uniform'"),
        ("training.seed: {int: [3, 1]}", "space.yaml: training.seed: int: expected two numbers, the smaller first"),
        ("training.seed: {int: [0, 1.5]}", "expected two whole numbers"),
        ("algorithm.parameters.gamma: {loguniform: [0, 1]}", "expected numbers above 0"),
        ("algorithm.parameters.gamma: {choice: 3}", "choice: expected a list"),
        ("algorithm.parameters.gamma: {choice: [0.9, 0.9]}", "expected different values"),
        ("trainig.seed: {int: [0, 1]}", "space.yaml: unknown key 'trainig'; did you mean 'training'?"),
        ("algorithm.parameters.gama: {uniform: [0.9, 1]}", "space.yaml: algorithm.parameters.gama"),
        ("training.seed: {int: [-5, 1]}", "space.yaml: training.seed: expected a whole number from 0"),
        ("algorithm.name: {choice: [ppo, pppo]}", "did you mean"),
    ],
)
def test_a_space_that_cannot_be_is_refused_before_anything_is_made(
    place: Path, capsys: pytest.CaptureFixture[str], space: str, message: str
) -> None:
    (place / "space.yaml").write_text(space)
    assert cli.run(SWEEP) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not (place / "experiments").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep", "--config", "cartpole.yaml"], "expected --space FILE"),
        ([*SWEEP, "--objective", "retrun"], "--objective: unknown objective 'retrun'; did you mean 'return'?"),
        ([*SWEEP, "--pruner", "medain"], "--pruner: unknown pruner 'medain'; did you mean 'median'?"),
        (["sweep", "--config", "cartpole.yaml", "--space", "no.yaml"], "unknown file 'no.yaml'"),
        ([*RESUME, "--space", "space.yaml"], "--space: a sweep that is resumed keeps what it began with"),
        ([*SWEEP, "unity.launch=false"], "unity.launch: a sweep starts the players of its trials itself"),
        (RESUME, "--resume: no sweep 'small'"),
        ([*SWEEP, "--name", "../up"], "--name: expected the name of a folder"),
    ],
)
def test_a_command_line_that_cannot_be_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert cli.run(words) == 2
    assert message in capsys.readouterr().err


def test_without_its_packages_a_sweep_says_what_to_install(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert cli.run(SWEEP) == 2
    assert "pip install 'rl-pipeline[ray]'" in capsys.readouterr().err
    assert not (place / "experiments").exists()
