from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from rl_pipeline.config import NO_MACHINE_FILE, load_config
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]


def test_a_run_leaves_the_whole_folder(make_config: MakeConfig) -> None:
    config = make_config()
    result = RLTrainer(config, overrides=["training.seed=0"], command=["rl-pipeline", "train"]).train()
    folder = result.folder
    assert folder.path.parts[-3:] == ("CartPole-v1", "ppo", "test")
    assert result.timesteps == 256
    assert not result.interrupted
    assert {path.name for path in folder.checkpoints.iterdir()} == {"model_128_steps.zip", "model_256_steps.zip"}
    assert {path.name for path in folder.videos.iterdir()} == {
        "rl-video-step-0.mp4",
        "rl-video-step-100.mp4",
        "final.mp4",
    }
    assert list(folder.tensorboard.glob("events.out.tfevents.*"))
    for path in (folder.model, folder.best_model, folder.curves, folder.progress):
        assert path.stat().st_size > 0, path
    assert load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE) == config
    assert folder.overrides.read_text() == "- 'training.seed=0'\n"
    assert "evaluation at 256 steps" in folder.log.read_text()


def test_metadata_evaluations_and_episodes_can_be_read(make_config: MakeConfig) -> None:
    folder = RLTrainer(make_config(), command=["rl-pipeline", "train"]).train().folder
    facts = json.loads(folder.metadata.read_text())
    assert facts["status"] == "done"
    assert facts["timesteps"] == 256
    assert facts["command"] == ["rl-pipeline", "train"]
    assert facts["spaces"]["action"] == "Discrete(2)"
    assert facts["versions"]["stable-baselines3"]
    with np.load(folder.evaluations) as arrays:
        assert arrays["timesteps"].tolist() == [128, 256]
        assert arrays["results"].shape == (2, 3)
    evaluation = json.loads(folder.evaluation.read_text())
    assert evaluation["episodes"] == 4
    assert evaluation["success_rate"] is None
    with folder.episodes.open() as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert int(rows[-1]["timesteps"]) <= 256
    assert float(rows[0]["return"]) == float(rows[0]["length"]), "CartPole pays 1 a step"


def test_the_final_video_shows_something(make_config: MakeConfig) -> None:
    video = RLTrainer(make_config()).train().video
    assert video is not None
    frames = imageio_ffmpeg.read_frames(str(video))
    width, height = next(frames)["size"]
    pictures = np.stack([np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in frames])
    assert pictures[0].std() > 10
    assert (pictures[0] != pictures[-1]).any()


def test_the_same_seed_gives_the_same_training(make_config: MakeConfig) -> None:
    runs = [RLTrainer(make_config()).train() for _ in range(2)]
    assert runs[0].evaluation == runs[1].evaluation
    first, second = (np.genfromtxt(run.folder.episodes, delimiter=",")[:, :-1] for run in runs)  # but for the time
    np.testing.assert_array_equal(first, second)


def test_an_off_policy_run_goes_on_with_its_replay_buffer(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture
) -> None:
    algorithm = {"name": "dqn", "parameters": {"learning_starts": 20, "buffer_size": 1000, "batch_size": 16}}
    first = RLTrainer(make_config(algorithm=algorithm)).train()
    training = {"pretrained_model": str(first.folder.model)}
    caplog.set_level("INFO")
    second = RLTrainer(make_config(algorithm=algorithm, training=training)).train()
    assert f"starting from {first.folder.model}" in caplog.text
    assert "replay buffer with 128 transitions per environment" in caplog.text
    assert second.folder.path != first.folder.path


def test_no_evaluations_make_the_last_model_the_best(make_config: MakeConfig) -> None:
    training = {"total_timesteps": 64, "eval": {"num_evals": 0}, "log_points": 0}
    folder = RLTrainer(make_config(training=training, environment={"video_wrapper": False})).train().folder
    assert folder.best_model.read_bytes() == folder.model.read_bytes()
    assert not folder.evaluations.exists()


@pytest.mark.parametrize("name", ["a2c", "recurrent_ppo", "ars"])
def test_algorithms_of_other_kinds_run_to_the_end(make_config: MakeConfig, name: str) -> None:
    parameters = {"recurrent_ppo": {"n_steps": 32, "batch_size": 32, "n_epochs": 1}, "ars": {"n_delta": 2}}
    algorithm = {"name": name, "parameters": parameters.get(name, {})}
    result = RLTrainer(make_config(algorithm=algorithm, environment={"render_mode": None})).train()
    assert result.evaluation is not None
    assert result.video is None


def test_a_model_of_other_spaces_is_refused_naming_both(make_config: MakeConfig) -> None:
    first = RLTrainer(make_config(training={"total_timesteps": 64})).train()
    other = make_config(
        environment={"id": "Acrobot-v1", "video_wrapper": False}, training={"pretrained_model": str(first.folder.path)}
    )
    with pytest.raises(InputError, match=r"best_model.zip was trained with the observation space Box.* has Box"):
        RLTrainer(other).train()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"algorithm": {"name": "pppo"}}, UnknownNameError, r"algorithm.name: unknown algorithm 'pppo'.*'ppo'"),
        ({"environment": {"id": "CartPoel-v1"}}, UnknownNameError, r"environment.id: .*CartPoel-v1.*CartPole-v1"),
        ({"training": {"pretrained_model": "none_such"}}, InputError, r"'none_such' is neither a model file nor"),
    ],
)
def test_names_are_refused_before_a_folder_is_made(
    make_config: MakeConfig, tmp_path: Path, changes: dict[str, dict[str, str]], error: type[InputError], message: str
) -> None:
    with pytest.raises(error, match=message):
        RLTrainer(make_config(**changes))
    assert not (tmp_path / "experiments").exists()
