"""The scene and task of docs/add_a_scene_and_task.md work as they stand there, from a folder outside the checkout."""

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.transport.endpoint import Endpoint

PAGE = (Path(__file__).parents[2] / "docs/add_a_scene_and_task.md").read_text()
FILES = re.compile(r"```\w+\n(?:#|<!--) ([\w/]+\.\w+)(?: -->)?\n(.*?)```", re.DOTALL)
SHORT = {
    "check": [],
    "train": [
        *(
            "n_environments=2",
            "ros.tcp_port=0",
            "training.total_timesteps=64",
            "training.eval.num_evals=0",
            "evaluation.num_episodes=1",
        ),
        *("environment.horizon=12", "environment.video_wrapper=false", "environment.render_mode=null"),
        *("algorithm.parameters.n_steps=16", "algorithm.parameters.batch_size=16", "algorithm.parameters.n_epochs=1"),
    ],
    "evaluate": ["--episodes", "1"],
}


@pytest.fixture
def place(tmp_path):
    """A folder with the files of the page."""
    files = FILES.findall(PAGE)
    assert [Path(name).suffix for name, _ in files] == [".xml", ".srv", ".srv", ".py", ".py", ".yaml"]
    for name, text in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_player_started_by_hand_simulates_it(place):
    interfaces = load_interfaces(place / "interfaces")
    reset, step = (interfaces.service(f"pendulum_msgs/Pendulum{verb}") for verb in ("Reset", "Step"))
    with Endpoint(port=None) as endpoint:
        port = endpoint.listen(0)
        command = [sys.executable, "-m", "rl_pipeline.players", "--scene", "my_scene:PendulumScene", "-batchmode"]
        with subprocess.Popen(
            [*command, "--ros-port", str(port), "--time-scale", "0"],
            cwd=place,
            env={**os.environ, "MUJOCO_GL": "disabled"},
        ) as player:
            try:
                assert endpoint.wait_until(lambda: "/pendulum_0/step" in endpoint.services, 60.0)
                started = reset.response.decode(
                    endpoint.call("/pendulum_0/reset", reset.request.encode({"seed": 4}), 60.0)
                )
                assert started["state"]["x"] == 1.0
                request = step.request.encode({"torque": 0.5, "render": True})
                moved = step.response.decode(endpoint.call("/pendulum_0/step", request, 60.0))
                assert moved["simulated_time"] == pytest.approx(0.05)
                assert moved["state"]["x"] != 1.0
                assert len(Image.open(io.BytesIO(moved["image"]["data"].tobytes())).convert("L").getcolors() or []) > 20
            finally:
                player.terminate()
        assert player.wait(timeout=30) == 0


@pytest.mark.slow
def test_a_module_is_enough_to_check_train_and_evaluate_it(place):
    commands = [shlex.split(line[2:]) for line in PAGE.splitlines() if line.startswith("$ rl-pipeline")]
    assert [verb for _, verb, *_ in commands] == list(SHORT)
    for _, verb, *arguments in commands:
        done = subprocess.run(
            [Path(sys.executable).with_name("rl-pipeline"), verb, *arguments, *SHORT[verb]],
            cwd=place, capture_output=True, text=True, timeout=250, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Pendulum-v0" in done.stdout


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        ("my_scene:Missing", "--scene: my_scene has no Missing"),
        ("no_scene:PendulumScene", "--scene: cannot import no_scene"),
        ("pendulum", "--scene: expected module:Class, such as my_scene:PendulumScene, found 'pendulum'"),
    ],
)
def test_a_scene_that_cannot_be_made_is_one_line_of_the_log(place, scene, said):
    command = [sys.executable, "-m", "rl_pipeline.players", "--scene", scene, "-batchmode"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
