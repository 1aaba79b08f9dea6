"""`rl-pipeline train`, and the verbs that follow it, as users run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline.experiment.folder import ExperimentFolder
from tests.support import prepared

REPOSITORY = Path(__file__).parents[2]


def call(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return prepared.run(["rl-pipeline", *arguments], directory)


def call_itself(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As `call`, from the start of the interpreter to its end."""
    command = [Path(sys.executable).with_name("rl-pipeline"), *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=250, check=False)


def test_cfg_job_prints_the_configuration_and_trains_nothing(workplace: Path) -> None:
    result = call(workplace, "train", "--config", "cartpole.yaml", "--cfg", "job", "training.seed=7")
    assert result.returncode == 0
    assert "seed: 7" in result.stdout
    assert not (workplace / "experiments").exists()


@pytest.mark.slow
def test_train_then_evaluate_then_play(workplace: Path) -> None:
    trained = call_itself(workplace, "train", "--config", "cartpole.yaml")
    assert trained.returncode == 0, trained.stderr
    folder = ExperimentFolder.find("test", workplace / "experiments")
    for path in (folder.model, folder.best_model, folder.videos / "final.mp4", folder.curves):
        assert str(path.relative_to(workplace)) in trained.stdout
    assert "2 in parallel (cartpole.yaml: simulation.n_environments)" in trained.stdout

    evaluated = call(workplace, "evaluate", "--experiment", "test", "--episodes", "5", "--json", "figures.json")
    assert evaluated.returncode == 0, evaluated.stderr
    figures = json.loads((workplace / "figures.json").read_text())
    assert figures["episodes"] == 5
    assert f"{figures['mean_return']:.2f}" in evaluated.stdout

    # A model file alone is enough: it brings its configuration.
    alone = workplace / "downloaded.zip"
    alone.write_bytes(folder.best_model.read_bytes())
    played = call(workplace, "play", "--model", str(alone), "--episodes", "1", "--video", "agent.mp4")
    assert played.returncode == 0, played.stderr
    assert (workplace / "agent.mp4").stat().st_size > 1000


@pytest.mark.slow
def test_train_example_trains_any_gymnasium_environment(workplace: Path) -> None:
    script = REPOSITORY / "train_example.py"
    words = ["python", script, "--config", "cartpole.yaml", "training.total_timesteps=64"]
    result = prepared.run(words, workplace)
    assert result.returncode == 0, result.stderr
    assert ExperimentFolder.find("test", workplace / "experiments").model.exists()
