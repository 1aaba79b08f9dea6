"""A user's own build, whose services have no seed, render or image, and whose definitions lie in a folder of its own.

The build is `cart_build/cart.py`, written from the wire protocol alone.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import prepared

CART = Path(__file__).parents[1] / "support" / "cart_build"
EXPERIMENT = """
modules: [cart_tasks]
experiment: {name: cart}
environment: {id: Cart-v0}
algorithm: {name: ppo, parameters: {n_steps: 256, batch_size: 128, n_epochs: 2}}
training: {total_timesteps: 2000, device: cpu, log_points: 1, eval: {num_evals: 1, num_episodes: 2}}
evaluation: {num_episodes: 2}
simulation:
  n_environments: 2
  workspace: [definitions]
  ros: {tcp_port: 0}
  unity: {build_path: cart.sh, connect_timeout: 60}
"""

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def cart(tmp_path: Path) -> Path:
    """A folder with the build, its task and an experiment file."""
    shutil.copytree(CART, tmp_path, dirs_exist_ok=True)
    (tmp_path / "cart.yaml").write_text(EXPERIMENT)
    start = tmp_path / "cart.sh"
    start.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {tmp_path / "cart.py"} "$@" $CART_OPTIONS\n')
    start.chmod(0o755)
    return tmp_path


@pytest.fixture
def command(cart: Path) -> Command:
    """Call the command in that folder; returns its exit code and all that it printed."""

    def call(*words: str, **variables: str) -> tuple[int, str]:
        environment = {name: value for name, value in os.environ.items() if name != "RL_PIPELINE_WORKSPACE"}
        done = prepared.run(["rl-pipeline", *words], cart, {**environment, **variables})
        return done.returncode, done.stdout + done.stderr

    return call


@pytest.mark.slow
def test_build_without_seed_render_and_image_trains_and_evaluates_and_says_what_it_lacks(
    cart: Path, command: Command
) -> None:
    code, output = command("train", "--config", "cart.yaml")
    assert code == 0, output
    reset, step = (cart / f"definitions/cart_msgs/srv/Cart{kind}.srv" for kind in ("Reset", "Step"))
    [folder] = (cart / "experiments").rglob("cart")
    log = (folder / "train.log").read_text()
    for sentence in (
        f"episodes are not repeatable: {reset} has no `uint32 seed` in its request",
        f"there are no frames for videos: {step} has no `bool render` in its request",
        f"latencies are unknown: {step} has no `builtin_interfaces/Time request_received`",
        f"simulated time is counted in control periods: {step} has no `float64 simulated_time` in its response",
    ):
        assert log.count(sentence) == 1, log
    assert "draws no frames" not in log
    assert json.loads((folder / "metadata.json").read_text())["timesteps"] >= 2000
    assert not list(folder.rglob("*.mp4"))

    code, output = command("evaluate", "--experiment", "cart", "--episodes", "2", "--record-bag", "bags")
    assert code == 0, output
    assert output.count("episodes are not repeatable") == 1
    assert (cart / "bags" / "episode_0").is_dir()

    code, output = command("play", "--experiment", "cart")
    assert code == 2
    assert "no video: there are no frames for videos" in output


def test_check_leaves_out_what_the_definitions_have_no_field_for(cart: Path, command: Command) -> None:
    code, output = command(
        "check", "cart_tasks:rl_pipeline/Cart-v0", "unity.build_path=cart.sh", "workspace=[definitions]"
    )
    assert code == 0, output
    text = " ".join(output.split())
    assert text.count("left out") == 6, text  # five checks, and the sum of them
    assert "left out simulated time advances: simulated time is counted in control periods" in text
    assert "passed Gymnasium's checker" in text


def test_first_states_with_empty_sequences_name_the_fields_without_elements(command: Command) -> None:
    code, output = command("train", "--config", "cart.yaml", CART_OPTIONS="--sensors 0")
    assert code == 2
    text = " ".join(output.split())
    assert "observations of shape (2,)" in text
    assert "`distances` of cart_msgs/CartState has 0 elements in the first state" in text
