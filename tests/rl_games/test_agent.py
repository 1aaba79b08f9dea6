"""Training by a file, resuming from its checkpoints, and playing, on real runs of a second or two."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from stable_baselines3.common.save_util import load_from_zip_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.rl_games import AlgoObserver, Job, Runner
from rl_pipeline.rl_games.job import Tracking
from tests.rl_games.conftest import PARAMS, changed


def newest(place: Path) -> Path:
    return max((place / "runs").iterdir(), key=lambda path: path.lstat().st_mtime_ns)


def facts(run: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(ExperimentFolder(run / "experiment").metadata.read_text())
    return result


def weights(model: Path) -> dict[str, torch.Tensor]:
    parameters: Any = load_from_zip_file(model, load_data=False)[1]
    return dict(parameters["policy"])


class RecordingObserver(AlgoObserver):
    """Observer that records its calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.epochs: list[tuple[int, int]] = []
        self.ended = 0

    def before_init(self, base_name: str, config: Any, experiment_name: str) -> None:
        assert config["environment"]["id"] == "CartPole-v1"
        self.calls.append(f"before_init {base_name}")

    def after_init(self, algo: Any) -> None:
        self.algo = algo
        self.calls.append("after_init")

    def after_clear_stats(self) -> None:
        self.calls.append("after_clear_stats")

    def process_infos(self, infos: Any, done_indices: NDArray[np.intp]) -> None:
        assert all("episode" in infos[index] for index in done_indices)
        self.ended += len(done_indices)

    def after_steps(self) -> None:
        self.calls.append("after_steps")

    def after_print_stats(self, frame: int, epoch_num: int, total_time: float) -> None:
        self.calls.append("after_print_stats")
        self.epochs.append((frame, epoch_num))
        self.algo.add_scalar("recorded/epochs", epoch_num, frame)


@pytest.fixture(scope="module")
def trained(place: Path) -> tuple[Path, RecordingObserver]:
    """The folder of a run of four epochs, and the observer that watched it."""
    observer, runner = RecordingObserver(), Runner()
    runner.observer = observer
    runner.load({"params": changed(config__lr_schedule="adaptive", config__algo_observer="isaac")}, "tiny.yaml")
    result = runner.run({"train": True, "play": False, "checkpoint": None, "sigma": None})
    assert result.timesteps == 256
    return newest(place), observer


def test_networks_and_summaries_are_where_rl_games_has_them(trained: tuple[Path, RecordingObserver]) -> None:
    run, _ = trained
    assert run.name.startswith("CartPole-v1_a2c_discrete_20")
    assert (run / "nn" / "Tiny.zip").is_file()
    assert (run / "nn" / "last_Tiny.zip").is_file()
    assert {path.name for path in (run / "nn" / "checkpoints").iterdir()} >= {"model_128_steps.zip"}
    assert list((run / "summaries").glob("events.out*"))
    assert facts(run)["status"] == "done"


def test_every_method_of_an_observer_is_called_in_order(trained: tuple[Path, RecordingObserver]) -> None:
    run, observer = trained
    epoch = ["after_steps", "after_print_stats"]
    assert observer.calls == ["before_init a2c_discrete", "after_init", "after_clear_stats", *epoch * 4]
    assert observer.epochs == [(64, 1), (128, 2), (192, 3), (256, 4)]
    assert observer.ended == len((run / "experiment" / "episodes.csv").read_text().splitlines()) - 1


def test_observers_write_to_the_summaries_of_the_run(trained: tuple[Path, RecordingObserver]) -> None:
    events = EventAccumulator(str(trained[0] / "summaries"))
    events.Reload()
    tags = events.Tags()["scalars"]
    assert {"recorded/epochs", "Episode/r", "train/learning_rate", "rollout/ep_rew_mean"} <= set(tags)
    assert [event.step for event in events.Scalars("recorded/epochs")] == [64, 128, 192, 256]


def test_a_run_goes_on_in_its_own_folder(
    trained: tuple[Path, RecordingObserver], place: Path, command: Callable[..., int]
) -> None:
    run, _ = trained
    params = changed(config__max_epochs=6, config__lr_schedule="adaptive")
    (place / "longer.yaml").write_text(yaml.safe_dump({"params": params}))
    assert command("runner", "--train", "--file", "longer.yaml", "--checkpoint", run) == 0
    assert list((place / "runs").iterdir()) == [run]
    assert facts(run)["timesteps"] == 6 * 64
    assert facts(run)["resumed"][0]["timesteps"] == 256
    assert command("runner", "--train", "--file", "longer.yaml", "--checkpoint", run / "nn" / "last_Tiny.zip") == 2


def test_a_model_goes_on_in_a_new_run_with_its_frames_counted(
    trained: tuple[Path, RecordingObserver], place: Path, command: Callable[..., int]
) -> None:
    model = trained[0] / "nn" / "checkpoints" / "model_128_steps.zip"
    params = changed(config__full_experiment_name="branch", config__max_epochs=3, config__learning_rate=1e-30)
    (place / "branch.yaml").write_text(yaml.safe_dump({"params": params}))
    assert command("runner", "-t", "-f", "branch.yaml", "-c", model) == 0
    run = place / "runs" / "branch"
    assert facts(run)["timesteps"] == 192
    assert facts(run)["resumed"][0]["timesteps"] == 128
    before, after = weights(model), weights(run / "nn" / "last_Tiny.zip")
    assert all(torch.allclose(before[key], after[key], rtol=0, atol=1e-20) for key in before)


def test_a_trained_run_plays_its_games(
    trained: tuple[Path, RecordingObserver], command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for checkpoint in (trained[0], trained[0] / "nn" / "Tiny.zip"):
        assert command("runner", "--play", "--file", "tiny.yaml", "--checkpoint", checkpoint) == 0
        lines = capsys.readouterr().out.splitlines()
        games = [float(line.split()[1]) for line in lines[:-1]]
        assert len(games) == PARAMS["config"]["player"]["games_num"]
        assert lines[-1].startswith(f"av reward: {np.mean(games):.2f} av steps: ")


def test_a_checkpoint_of_another_architecture_is_refused(
    trained: tuple[Path, RecordingObserver],
    place: Path,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (place / "wide.yaml").write_text(yaml.safe_dump({"params": changed(network__mlp__units=[32])}))
    assert command("runner", "-t", "-f", "wide.yaml", "-c", trained[0]) == 2
    assert "algorithm.architecture" in capsys.readouterr().err
    assert command("runner", "-p", "-f", "wide.yaml", "-c", trained[0]) == 2
    assert "does not fit PPO with this architecture" in capsys.readouterr().err


def test_score_to_win_ends_the_training_and_the_last_model_is_judged(place: Path, command: Callable[..., int]) -> None:
    params = changed(config__score_to_win=5.0, config__save_best_after=8, config__max_epochs=500,
                     config__full_experiment_name="won", config__lr_schedule="linear")  # fmt: skip
    (place / "won.yaml").write_text(yaml.safe_dump({"params": params}))
    assert command("runner", "-t", "-f", "won.yaml", "--seed", 4, "-na", 4) == 0
    run = place / "runs" / "won"
    assert 8 * 32 * 4 <= facts(run)["timesteps"] < 20 * 32 * 4
    assert facts(run)["seeds"]["training"] == 4
    assert len(np.load(run / "experiment" / "evaluations.npz")["timesteps"]) == 1


def test_an_experiment_file_runs_too(
    place: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "experiment.yaml").write_text(
        "environment: {id: Pendulum-v1, render_mode: null}\n"
        "algorithm: {name: ppo, parameters: {n_steps: 32, batch_size: 32, n_epochs: 1}}\n"
        "training: {total_timesteps: 64, device: cpu}\n"
    )
    assert command("runner", "-t", "-f", "experiment.yaml", "-na", 1, "--sigma", "-1", "--seed", 2) == 0
    run = newest(place)
    assert run.name.startswith("Pendulum-v1_ppo_")
    assert facts(run)["seeds"]["training"] == 2
    assert float(weights(run / "nn" / "last_experiment.zip")["log_std"][0]) == pytest.approx(-1.0, abs=0.01)
    capsys.readouterr()
    assert command("runner", "-p", "-f", "experiment.yaml", "-c", run, "--sigma", "0") == 0
    assert capsys.readouterr().out.count("reward: ") == 6


def test_tracking_is_logging_to_the_project_and_team_that_are_named(place: Path) -> None:
    job = Job("a2c_discrete", params=PARAMS, tracking=Tracking("mine", "me"))
    config, _ = job.settings("ppo")
    assert config.training.on_wandb
    assert (config.wandb_run.project_name, config.wandb_run.entity) == ("mine", "me")
