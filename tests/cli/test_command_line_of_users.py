from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline import __version__, cli
from rl_pipeline.experiment.folder import ExperimentFolder
from tests.support import prepared

REPOSITORY = Path(__file__).parents[2]


def call(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return prepared.run(["rl-pipeline", *arguments], directory)


def call_itself(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As `call`, from the start of the interpreter to its end."""
    command = [Path(sys.executable).with_name("rl-pipeline"), *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=250, check=False)


@pytest.mark.parametrize("verb", ["train", "play", "evaluate", "check", "benchmark", "doctor"])
def test_the_help_of_each_verb_shows_an_example(tmp_path: Path, verb: str) -> None:
    result = call_itself(tmp_path, verb, "--help")
    assert result.returncode == 0
    assert f"Example: rl-pipeline {verb}" in " ".join(result.stdout.split())


def test_help_waits_for_no_heavy_import() -> None:
    heavy = "{'torch', 'hydra', 'numpy', 'wandb'}"
    code = f"import sys, rl_pipeline.cli as c; c.run(['--help']); sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--config", "cartpole.yaml", "training.seeed=1"], "training.seeed"),
        (["train", "--config", "cartpole.yaml", "experiment.directory=/proc/none"], "cannot write to /proc/none"),
        (["train", "--config", "cartpole.yaml", "--cfg", "all"], "--cfg: expected job, found 'all'"),
        (["play", "--model", "none.zip"], "no experiment with a trained model"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(workplace: Path, arguments: list[str], message: str) -> None:
    result = call(workplace, *arguments)
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.count("error: ") == 1


def test_debug_shows_where(workplace: Path) -> None:
    result = call(workplace, "train", "--config", "none.yaml", "--debug")
    assert result.returncode != 0
    assert "Traceback" in result.stderr


def test_an_unknown_option_is_exit_code_2(tmp_path: Path) -> None:
    result = call(tmp_path, "train", "--confg", "x")
    assert result.returncode == 2
    assert "--confg" in result.stderr


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


@pytest.mark.parametrize("agent", ["random", "zero"])
def test_baselines_need_no_experiment(workplace: Path, agent: str) -> None:
    result = call(workplace, "evaluate", "--config", "cartpole.yaml", "--agent", agent, "--json", "-")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["agent"] == f"{agent} agent"


@pytest.mark.slow
def test_train_example_trains_any_gymnasium_environment(workplace: Path) -> None:
    script = REPOSITORY / "train_example.py"
    words = ["python", script, "--config", "cartpole.yaml", "training.total_timesteps=64"]
    result = prepared.run(words, workplace)
    assert result.returncode == 0, result.stderr
    assert ExperimentFolder.find("test", workplace / "experiments").model.exists()


def test_home_is_expanded_where_shells_leave_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("training: {seed: 7}")
    for arguments in (["--config=~/mine.yaml"], ["--config", "~/mine.yaml"]):
        assert cli.run(["train", *arguments, "--cfg", "job"]) == 0
    assert cli.run(["runs", "list", "--directory=~"]) == 0


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str], calls_command: None) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"rl-pipeline {__version__}\n"
