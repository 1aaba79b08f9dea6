"""A run that was killed and resumed ends where one that was never disturbed does, bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3.common.save_util import load_from_zip_file

from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.experiment.folder import ExperimentFolder
from tests.support.prepared import PreparedProcess

DEADLINE = 90.0
BOTH = """
experiment: {name: test}
environment: {id: rl_pipeline/Navigation-v0, horizon: 60, render_mode: null, video_wrapper: false}
training: {device: cpu, log_points: 8, eval: {num_evals: 2, num_episodes: 2}}
evaluation: {num_episodes: 2}
simulation: {n_environments: 2, ros: {tcp_port: 0}}
"""
PPO = """
algorithm:
  name: ppo
  parameters:
    n_steps: 64
    batch_size: 64
    n_epochs: 3
    use_sde: true
    learning_rate: {start: 1e-3, end: 0}
  architecture: {net_arch: [16]}
wrappers: {normalize: {}, frame_stack: {n_stack: 2}}
"""
SAC = """
algorithm:
  name: sac
  parameters: {learning_starts: 60, buffer_size: 300, batch_size: 16, train_freq: 4, action_noise: {normal: 0.1}}
  architecture: {net_arch: [16]}
wrappers: {normalize: {}}
"""
BUFFERED = """
algorithm: {name: ppo, parameters: {n_steps: 64, batch_size: 64, n_epochs: 3}, architecture: {net_arch: [16]}}
"""


DUEL = """
algorithm:
  name: ppo
  parameters: {n_steps: 64, batch_size: 64, n_epochs: 2}
  architecture: {net_arch: [16]}
wrappers: {normalize: {}}
self_play: {enabled: true, save_steps: 100, swap_steps: 90, window: 2}
environment_parameters:
  cover_pairs: {sampler_type: uniform, sampler_parameters: {min_value: 0, max_value: 4}}
  dispersion:
    curriculum:
      - {value: 0.0, completion_criteria: {measure: reward, threshold: -100, min_lesson_length: 4}}
      - {value: 0.1, completion_criteria: {measure: progress, threshold: 0.6, min_lesson_length: 1}}
      - {value: 0.2}
"""


def start(directory: Path, *words: str) -> PreparedProcess:
    return PreparedProcess(["rl-pipeline", *words], directory)


def train(directory: Path, text: str, total: int, *overrides: str) -> PreparedProcess:
    directory.mkdir()
    both = BOTH.replace("Navigation", "Duel") if text is DUEL else BOTH
    (directory / "run.yaml").write_text(both + text)
    return start(directory, "train", "--config", "run.yaml", f"training.total_timesteps={total}", *overrides)


def finish(process: PreparedProcess) -> str:
    try:
        _, errors = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    return errors


def kill_at_some_moment(process: PreparedProcess, directory: Path) -> ExperimentFolder:
    """Kill the run a random moment after its first checkpoint."""
    deadline = time.monotonic() + DEADLINE
    while not any(saved_states(folder) for folder in folders(directory)):
        assert process.poll() is None, process.written()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(random.uniform(0.0, 0.3))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == -signal.SIGKILL, "the run ended before it was killed"
    return folders(directory)[0]


def folders(directory: Path) -> list[ExperimentFolder]:
    return [ExperimentFolder(path.parent) for path in directory.glob("experiments/*/*/*/config.yaml")]


def episodes_of(folder: ExperimentFolder) -> list[list[str]]:
    """The rows of episodes.csv but for the seconds on the wall that each took."""
    return [line.split(",")[:-1] for line in folder.episodes.read_text().splitlines()]


def assert_same_tensors(first: Path, second: Path) -> None:
    """Weights and the state of the optimizers are the same, to the last bit."""
    left, right = (torch_leaves(load_from_zip_file(path, load_data=False)[1]) for path in (first, second))
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


def torch_leaves(value: object, path: str = "") -> dict[str, torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {name: leaf for key, item in items for name, leaf in torch_leaves(item, f"{path}/{key}").items()}


@pytest.mark.slow
def test_environments_in_processes_learn_and_resume_as_those_in_the_trainer(tmp_path: Path) -> None:
    total, pendulum = 6144, ["environment.id=Pendulum-v1", "n_environments=3"]
    undisturbed = train(tmp_path / "whole", PPO, total, *pendulum)
    in_processes = [*pendulum, "environment_processes=2"]
    folder = kill_at_some_moment(train(tmp_path / "killed", PPO, total, *in_processes), tmp_path / "killed")
    finish(start(tmp_path / "killed", "resume", "test"))
    finish(undisturbed)
    other = folders(tmp_path / "whole")[0]
    assert_same_tensors(folder.model, other.model)
    assert_same_tensors(folder.best_model, other.best_model)
    assert episodes_of(folder) == episodes_of(other)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "total", "overrides"),
    [(PPO, 1536, []), (SAC, 640, []), (DUEL, 1024, []), (BUFFERED, 1536, ["training.double_buffer=true"])],
    ids=["ppo", "sac", "self_play", "double-buffer"],
)
def test_killed_and_resumed_equals_uninterrupted(tmp_path: Path, text: str, total: int, overrides: list[str]) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed = train(whole, text, total, *overrides)
    folder = kill_at_some_moment(train(killed, text, total, *overrides), killed)
    assert json.loads(folder.metadata.read_text())["status"] == "running"
    assert "resuming from" in finish(start(killed, "resume", "test"))
    finish(undisturbed)
    other = folders(whole)[0]
    assert_same_tensors(folder.model, other.model)
    assert_same_tensors(folder.best_model, other.best_model)
    assert episodes_of(folder) == episodes_of(other)
    with np.load(folder.evaluations) as mine, np.load(other.evaluations) as theirs:
        assert all(np.array_equal(mine[name], theirs[name]) for name in theirs)
    facts = json.loads(folder.metadata.read_text())
    assert facts["status"] == "done"
    assert facts["resumed"][0]["timesteps"] > 0
    steps = [line.split(",") for line in folder.progress.read_text().splitlines()]
    column = steps[0].index("time/total_timesteps")
    logged = [float(row[column]) for row in steps[1:]]
    assert logged == sorted(logged)
