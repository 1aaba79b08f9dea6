"""Every kind of algorithm ends the same when it goes on from a checkpoint, its buffers and noises included."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from rich.console import Console
from stable_baselines3.common.save_util import load_from_zip_file

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.run.resuming import resume
from rl_pipeline.run.rl_trainer import RLTrainer

GOALS = "BitFlipping-v0"
OFF = {"learning_starts": 30, "buffer_size": 100, "batch_size": 8}
NOISE = {"ornstein_uhlenbeck": {"sigma": 0.2, "theta": 0.3}}
CASES = {
    "td3": ("Pendulum-v1", {**OFF, "action_noise": NOISE, "train_freq": 2}, {"action_history": {"length": 2}}),
    "dqn": ("CartPole-v1", {**OFF, "target_update_interval": 16}, {"clip_rewards": {}}),
    "tqc": ("Pendulum-v1", {**OFF, "use_sde": True}, {"normalize": {}}),
    "sac": (GOALS, {**OFF, "replay_buffer_class": "her", "replay_buffer_kwargs": {"n_sampled_goal": 4}}, {}),
    "ppo": (
        "CartPole-v1",
        {"n_steps": 8, "batch_size": 8, "learning_rate": {"schedule": "adaptive", "initial": 1e-3}},
        {"scale_rewards": {"scale": 0.1}},
    ),
    "a2c": ("CartPole-v1", {"n_steps": 8, "learning_rate": {"schedule": "cosine", "initial": 1e-3}}, {}),
}


@pytest.fixture(autouse=True, scope="module")
def _goal_environment() -> None:
    if GOALS not in gymnasium.registry:
        place = "stable_baselines3.common.envs:BitFlippingEnv"
        gymnasium.register(GOALS, place, kwargs={"n_bits": 3, "continuous": True, "max_steps": 6})


def told(file: Path) -> list[str]:
    """The rows of an episodes.csv without their last column, the seconds since the training began."""
    return [row.rpartition(",")[0] for row in file.read_text().splitlines()]


def logged(file: Path) -> list[dict[str, str]]:
    """The rows of a progress.csv, without times."""
    with file.open(newline="") as rows:
        return [
            {name: text for name, text in row.items() if text and name not in ("time/fps", "time/time_elapsed")}
            for row in csv.DictReader(rows)
        ]


def small(make_config: Callable[..., Config], name: str) -> Config:
    environment, parameters, wrappers = CASES[name]
    return make_config(
        environment={"id": environment, "horizon": None if environment == GOALS else 20, "render_mode": None},
        algorithm={"name": name, "parameters": parameters, "architecture": {"net_arch": [8]}},
        training={"total_timesteps": 96, "log_points": 3, "eval": {"num_evals": 1, "num_episodes": 1}},
        evaluation={"num_episodes": 1},
        wrappers=wrappers,
    )


def tensors(folder: ExperimentFolder) -> dict[str, torch.Tensor]:
    parameters: Any = load_from_zip_file(folder.model, load_data=False)[1]
    return dict(parameters["policy"])


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_last_segment_is_the_same_again(make_config: Callable[..., Config], name: str) -> None:
    folder = RLTrainer(small(make_config, name)).train().folder
    expected, episodes, figures = tensors(folder), told(folder.episodes), logged(folder.progress)
    saved_states(folder)[0].unlink()
    folder.metadata.write_text(json.dumps({"status": "running"}))
    silent = Console(file=io.StringIO())
    resume(str(folder.path), folder.path.parent, (), console=silent, progress=silent)
    found = tensors(folder)
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert told(folder.episodes) == episodes
    assert logged(folder.progress) == figures


def test_a_run_that_was_killed_after_its_last_step_keeps_its_model_and_gets_its_missing_folders(
    make_config: Callable[..., Config],
) -> None:
    folder = RLTrainer(small(make_config, "tqc")).train().folder
    normalizer = ModelFile.open(folder.model).normalizer
    folder.metadata.write_text(json.dumps({"status": "running"}))
    for path in (folder.checkpoints, folder.videos, folder.tensorboard):
        shutil.rmtree(path)
    folder.model.unlink()
    silent = Console(file=io.StringIO())
    resume(str(folder.path), folder.path.parent, (), console=silent, progress=silent)
    found = ModelFile.open(folder.model).normalizer
    assert normalizer.keys() == found.keys()
    assert all(np.array_equal(normalizer[name], found[name]) for name in normalizer)
    assert all(path.is_dir() for path in (folder.checkpoints, folder.videos, folder.tensorboard))


def test_hindsight_needs_goals(make_config: Callable[..., Config]) -> None:
    parameters = {"replay_buffer_class": "her"}
    config = make_config(environment={"id": "Pendulum-v1"}, algorithm={"name": "sac", "parameters": parameters})
    with pytest.raises(InputError, match=r"hindsight needs a goal environment.*found Box"):
        RLTrainer(config)


@pytest.mark.parametrize(
    ("run_type", "checkpoints"), [("tensorboard", 0), (None, 3)], ids=["tensorboard", "everything"]
)
def test_the_run_type_says_what_is_kept(make_config: Callable[..., Config], run_type: str, checkpoints: int) -> None:
    config = small(make_config, "a2c")
    config = config.model_copy(update={"training": config.training.model_copy(update={"run_type": run_type})})
    folder = RLTrainer(config).train().folder
    assert len(list(folder.checkpoints.iterdir())) == checkpoints
    assert folder.model.exists()
    assert saved_states(folder)


def test_a_debug_run_leaves_nothing(make_config: Callable[..., Config]) -> None:
    config = small(make_config, "a2c")
    config = config.model_copy(update={"training": config.training.model_copy(update={"run_type": "debug"})})
    result = RLTrainer(config).train()
    assert result.timesteps == 96
    assert not result.folder.path.exists()
    assert not config.experiment.directory.exists()


def test_checkpoints_every_so_many_steps(make_config: Callable[..., Config]) -> None:
    config = make_config(
        training={"log_points": 0, "save_freq": 64, "total_timesteps": 192, "eval": {"num_evals": 0}},
        environment={"render_mode": None},
    )
    folder = RLTrainer(config).train().folder
    assert {path.name for path in folder.checkpoints.iterdir()} == {f"model_{n}_steps.zip" for n in (64, 128, 192)}


def test_checkpoints_every_so_many_episodes(make_config: Callable[..., Config]) -> None:
    config = make_config(
        training={
            "log_points": 0, "save_freq": 3, "save_freq_unit": "episodes", "total_timesteps": 192,
            "eval": {"num_evals": 0},
        },
        algorithm={"parameters": {"n_steps": 16, "batch_size": 16}},
        environment={"id": "Pendulum-v1", "horizon": 32, "render_mode": None},
    )  # fmt: skip
    folder = RLTrainer(config).train().folder
    # 2 environments whose episodes are 32 steps long: 2 more episodes have ended at 64, 128 and 192 steps.
    assert {path.name for path in folder.checkpoints.iterdir()} == {f"model_{n}_steps.zip" for n in (128, 192)}
