"""Commands and files printed in the two documents that describe this pipeline work as printed, on fewer steps.

The documents lie in `../shared/reference` beside the checkout, where there is one; nothing of their text is kept here.
"""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import yaml
from gymnasium import spaces
from gymnasium.envs.classic_control import CartPoleEnv

from rl_pipeline import cli
from rl_pipeline.algorithms.build import check
from rl_pipeline.config import load_config, machine_settings
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.lookup import model_of

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT.parent / "shared" / "reference"
PIPELINE, TRAINING = (next(iter(sorted(REFERENCE.glob(f"{number}_*.txt"))), None) for number in ("001", "004"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PIPELINE is None or TRAINING is None, reason="the reference documents are not in ../shared/reference"
    ),
]

SHORT = [
    "ros.tcp_port=0",
    "training.total_timesteps=128",
    "training.eval.num_evals=1",
    "training.eval.num_episodes=1",
    "training.log_points=1",
    "evaluation.num_episodes=5",
    "environment.video_length=5",
]

Words = Callable[..., str]


class Reach(CartPoleEnv):
    """In place of the scene that the document trains in; it takes a robot as that one does."""

    def __init__(self, robot: dict[str, Any], render_mode: str | None = None) -> None:
        assert robot["name"] == "schunk"
        super().__init__(render_mode=render_mode)


gymnasium.register("test/Reach-v0", Reach, max_episode_steps=20)


def blocks(document: Path | None, language: str) -> list[str]:
    """The code blocks of a reStructuredText document, as one would copy them."""
    if document is None:
        return []
    inside = r"(?:\1 +\S.*\n?|[ \t]*\n)+"
    found = re.findall(rf"^( *)\.\. code-block:: {language} *\n\n({inside})", document.read_text(), re.MULTILINE)
    return [textwrap.dedent(block).strip() + "\n" for _, block in found]


def settings(key: str) -> str:
    """The YAML example of the pipeline's document that begins with this key."""
    return next(block for block in blocks(PIPELINE, "yaml") if block.startswith(f"{key}:"))


def commands() -> list[str]:
    """The command lines of the document on training, in its words."""
    return [line for block in blocks(TRAINING, "bash") for line in block.splitlines()]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls_command: None) -> Path:
    """An empty working directory; Weights & Biases without an account."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    return tmp_path


@pytest.fixture
def run(place: Path, capfd: pytest.CaptureFixture[str]) -> Words:
    """Run a command line of the document on training, as this project has it. Returns what it printed."""

    def run_command(command: str, *more: str) -> str:
        script = "python human_robot_gym/training/train_SB3.py"
        assert command.startswith(script)
        command = command.replace(script, "train").replace("human_reach_ppo_parallel", "navigation_ppo")
        assert cli.run([*shlex.split(command), *more]) == 0, capfd.readouterr().err
        return capfd.readouterr().out

    return run_command


def test_documents_were_read() -> None:
    assert len(blocks(PIPELINE, "yaml")) == 5
    assert len(blocks(PIPELINE, "python")) == 2
    assert len(commands()) == 5


def test_the_example_of_a_whole_file_trains_in_any_gymnasium_environment(
    place: Path, monkeypatch: pytest.MonkeyPatch, wandb_records: Callable[[Path], list[Any]]
) -> None:
    command = next(line for block in blocks(PIPELINE, "bash") for line in block.splitlines() if "train_example" in line)
    words = shlex.split(command)
    (place / "configs").mkdir()
    (place / words[3]).write_text(settings("experiment"))
    monkeypatch.setattr(sys, "argv", [*words[1:], *SHORT, "environment.horizon=12"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / words[1]), run_name="__main__")
    assert ended.value.code == 0
    folder = place / "experiments" / "BipedalWalker-v3" / "ppo" / "BipedalWalker-Benchmark"
    tree = next(block for block in blocks(PIPELINE, "none") if block.startswith("experiments/"))
    for name in re.findall(r"[├└]── ([\w.]+)", tree):
        assert (folder / name).exists()
    assert list((folder / "videos").glob("*.mp4"))
    record = next(record.run for record in wandb_records(folder) if record.WhichOneof("record_type") == "run")
    printed = dict(re.findall(r"(\w+)=(.+),", next(block for block in blocks(PIPELINE, "python") if "wandb" in block)))
    assert (record.project, record.display_name) == (printed["project"].strip('"'), "BipedalWalker-Benchmark")
    assert not list(folder.glob("wandb/*/files/code")), "save_code=False"
    assert any(record.WhichOneof("record_type") == "tbrecord" for record in wandb_records(folder)), "sync_tensorboard"


def test_the_example_of_a_model_of_ones_own_is_a_feature_extractor(place: Path) -> None:
    names: dict[str, Any] = {}
    exec(next(block for block in blocks(PIPELINE, "python") if "CustomCNN" in block), names)
    assert names["CustomCNN"](spaces.Box(0, 255, (3, 32, 32))).features_dim == 256
    Path("mine.yaml").write_text(settings("architecture"))
    config = load_config(config_file=Path("mine.yaml"))
    assert config.algorithm.architecture.features_extractor_class == "CustomCNN"
    assert check(config).name == "ppo"


def test_the_examples_of_the_machine_file_are_read(place: Path) -> None:
    for text in (settings("ros"), settings("n_environments")):
        Path("config.yml").write_text(text)
        ros = machine_settings().simulation.ros
        assert (ros.package_name, ros.node_name) == ("examples_pkg", "train")
    unity = machine_settings().simulation.unity
    assert (unity.build_path, unity.headless_mode, unity.pause) == ("build/Playground.exe", False, False)
    assert (unity.sample_time, unity.time_scale) == (0.0, 1.0)


def test_the_example_of_wandb_is_read(place: Path) -> None:
    Path("mine.yaml").write_text(settings("training"))
    config = load_config(config_file=Path("mine.yaml"))
    assert config.training.on_wandb
    assert config.training.pretrained_model is None


def test_the_scripts_that_are_launched_are_there() -> None:
    launched = [line for block in blocks(PIPELINE, "bash") for line in block.splitlines() if "launch_" in line]
    assert len(launched) == 3
    for line in launched:
        script = ROOT / line.removeprefix("bash ")
        assert script.is_file()
        if script.suffix == ".bash":
            subprocess.run(["bash", "-n", str(script)], check=True, timeout=20)


def test_a_run_leaves_the_models_and_a_copy_of_its_configuration(run: Words, place: Path) -> None:
    run(commands()[0], *SHORT, "worlds_per_player=4", "environment.horizon=20")
    folder = ExperimentFolder.find("navigation_ppo", place / "experiments")
    assert model_of(folder, "model_final.zip") == folder.model
    assert yaml.safe_load(folder.config.read_text())["training"]["total_timesteps"] == 128
    assert SHORT[1] in yaml.safe_load(folder.overrides.read_text())


def test_the_configuration_is_shown(run: Words) -> None:
    assert yaml.safe_load(run(commands()[1]))["experiment"]["name"] == "navigation_ppo"


def test_overrides_are_taken_and_a_debug_run_stores_nothing(run: Words, place: Path) -> None:
    shown = yaml.safe_load(run(commands()[2], "--cfg", "job"))
    assert (shown["simulation"]["n_environments"], shown["environment"]["horizon"]) == (8, 1000)
    run(commands()[2], *SHORT, "training.eval.num_evals=0", "evaluation.num_episodes=1", "worlds_per_player=8")
    assert list(place.iterdir()) == []


def test_a_run_is_logged_to_wandb_under_the_names_given(
    run: Words, place: Path, wandb_records: Callable[[Path], list[Any]]
) -> None:
    assert commands()[3].startswith("pip install")
    assert find_spec(commands()[3].split()[-1]) is not None
    run(commands()[4], *SHORT, "worlds_per_player=4", "environment.horizon=20")
    folder = ExperimentFolder.find("navigation_ppo", place / "experiments")
    records = wandb_records(folder.path)
    record = next(record.run for record in records if record.WhichOneof("record_type") == "run")
    assert (record.project, record.run_group) == ("my_project", "group_of_my_run")
    assert record.display_name == "name_of_my_run"
    assert {"environment", "algorithm", "training"} <= {entry.key for entry in record.config.update}
    files = {path.name for path in folder.path.glob("wandb/offline-run-*/files/**/*")}
    assert {"model.zip", "best_model.zip", "model_128_steps.zip", "rl-video-step-0.mp4", "final.mp4"} <= files


def test_the_defaults_list_trains_and_with_eval_watches(run: Words, place: Path) -> None:
    """The groups of that list which belong to scenes of that project are a user's own here."""
    listed = blocks(TRAINING, "yaml")[0]
    for path, text in {
        "robot/schunk": "name: schunk\n",
        "environment/reach_human": "id: test/Reach-v0\n",
        "wrappers/safe": "clip_observations: {}\n",
        "training/parallel_training": "defaults: [default]\ntotal_timesteps: 64\neval: {num_evals: 0}\n",
        "wandb_run/default_wandb": "defaults: [default]\n",
        "mine": listed.replace("  - eval\n", "") + "experiment: {name: reach}\n",
        "watched": listed + "experiment: {name: reach}\n",
    }.items():
        (place / "own" / path).parent.mkdir(parents=True, exist_ok=True)
        (place / "own" / f"{path}.yaml").write_text(text)
    train = "python human_robot_gym/training/train_SB3.py --config-dir own --config-name "
    run(f"{train} mine", "evaluation.num_episodes=5", "n_environments=2")
    assert "videos/play.mp4" in run(f"{train} watched", "evaluation.num_episodes=1")
