"""Interface definitions of one's own are named once, in a file, and every later verb finds them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rl_pipeline.config import load_config, render_config
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.evaluation.trust import config_of_model
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.interfaces import load_interfaces, workspaces

INTERFACES = Path(__file__).parents[2] / "ros_ws/src/interfaces_pkg"
TASK = """
from rl_pipeline.envs import register_task
from rl_pipeline.tasks.navigation import NavigationTask


class MyTask(NavigationTask):
    reset_service, step_service = "my_pkg/MyReset", "my_pkg/MyStep"


register_task("Mine-v0", MyTask)
"""
EXPERIMENT = """
modules: [my_tasks]
workspace: my_ws/src
experiment: {name: mine}
environment: {id: Mine-v0, horizon: 10, video_wrapper: false, render_mode: null}
algorithm: {name: ppo, parameters: {n_steps: 16, batch_size: 16, n_epochs: 1}}
training: {total_timesteps: 32, device: cpu, log_points: 1, eval: {num_evals: 0}}
evaluation: {num_episodes: 1}
simulation: {n_environments: 1, ros: {tcp_port: 0}, unity: {build_path: player.sh}}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a workspace, a task and an experiment file."""
    monkeypatch.setattr(workspaces, "_used", ())
    monkeypatch.delenv(workspaces.WORKSPACE_VARIABLE, raising=False)
    package = tmp_path / "my_ws/src/my_pkg"
    (package / "srv").mkdir(parents=True)
    (package / "package.xml").write_text("<package><name>my_pkg</name></package>")
    for kind in ("Reset", "Step"):
        text = (INTERFACES / f"srv/Navigation{kind}.srv").read_text()
        text = text.replace("NavigationState ", "interfaces_pkg/NavigationState ")
        text = text.replace("NavigationParameters ", "interfaces_pkg/NavigationParameters ")
        (package / f"srv/My{kind}.srv").write_text(text)
    (tmp_path / "my_tasks.py").write_text(TASK)
    (tmp_path / "mine.yaml").write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("my_tasks", None)


@pytest.mark.parametrize("written", ["workspace: my_ws/src", "simulation: {workspace: [my_ws/src]}"])
def test_the_key_names_where_definitions_are_and_is_remembered(place: Path, written: str) -> None:
    with pytest.raises(UnknownNameError, match=r"my_pkg.*simulation.workspace and \$RL_PIPELINE_WORKSPACE name"):
        load_interfaces().service("my_pkg/MyStep")
    (place / "short.yaml").write_text(written)
    config = load_config(config_file=Path("short.yaml"))
    assert load_interfaces().service("my_pkg/MyStep").name == "my_pkg/MyStep"
    assert workspaces.workspace_environment() == {workspaces.WORKSPACE_VARIABLE: str(place / "my_ws/src")}
    (place / "kept.yaml").write_text(render_config(config))
    assert load_config(config_file=Path("kept.yaml"), imports=False).simulation.workspace == [Path("my_ws/src")]


def test_the_key_comes_before_the_variable(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(workspaces.WORKSPACE_VARIABLE, "/of/variable")
    load_config(overrides=["simulation.workspace=my_ws/src"])
    assert workspaces.workspaces() == (place / "my_ws/src", Path("/of/variable"))


def test_a_folder_that_is_not_there_is_named_with_its_key(place: Path) -> None:
    (place / "short.yaml").write_text("workspace: [my_ws/source]")
    with pytest.raises(
        InputError, match=r"short.yaml: workspace: expected a folder with ROS packages, found no .*source"
    ):
        load_config(config_file=Path("short.yaml"))


def test_a_model_from_elsewhere_has_no_folder_of_this_machine_searched(place: Path) -> None:
    file = ModelFile(Path("model.zip"), "workspace: my_ws/src", {}, {})
    assert config_of_model(file).simulation.workspace == []
    assert workspaces.workspaces() == ()
    assert config_of_model(file, ["workspace=my_ws/src"]).simulation.workspace == [Path("my_ws/src")]


@pytest.mark.slow
def test_a_run_with_definitions_of_ones_own_is_evaluated_and_resumed_from_its_folder_alone(
    place: Path, build: Callable[..., Path]
) -> None:
    build("""sed 's|interfaces_pkg/Navigation|my_pkg/My|' {handmade} > "$0.py"\nexec {python} "$0.py" "$@" """)

    def call(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "rl_pipeline.cli", *arguments],
            cwd=place, capture_output=True, text=True, timeout=250, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    call("train", "--config", "mine.yaml")
    assert "Mine-v0" in call("evaluate", "--experiment", "mine")
    (place / "my_ws").rename(place / "moved_ws")
    assert "48" in call("resume", "mine", "training.total_timesteps=48", "workspace=moved_ws/src")
