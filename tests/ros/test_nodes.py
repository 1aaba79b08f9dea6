"""The verbs as nodes of examples_pkg: parameters, namespace and log are those of ROS."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
pytest.importorskip("examples_pkg", reason="the workspace is not built (bash ros_ws/build.bash)")

from rcl_interfaces.msg import Log

from rl_pipeline.cli.nodes.launch_node import run
from rl_pipeline.cli.nodes.ros_node import words
from rl_pipeline.errors import UnknownNameError
from rl_pipeline.ros.session import RosSession


def parameters_of(words):
    return [argument for word in words for argument in ("-p", word)]


@pytest.mark.slow
def test_the_trainer_is_a_node_with_parameters_namespace_and_log(tmp_path, eventually):
    given = ["config_name:=navigation_ppo", "overrides:=['experiment.name=noded', 'environment.horizon=20']",
             "n_environments:=2", "ros.tcp_port:=0", "ros.backend:=ros2", "training.total_timesteps:=128",
             "training.eval.num_evals:=1", "training.eval.num_episodes:=1", "environment.video_wrapper:=false",
             "algorithm.parameters.n_steps:=64", "evaluation.num_episodes:=1"]  # fmt: skip
    executable = Path(sys.prefix) / "lib/examples_pkg/train"
    command = [executable, "--ros-args", "-r", "__ns:=/lab", "-r", "__node:=learner", *parameters_of(given)]
    logged, names = [], set()
    with RosSession("listener") as listener:
        listener.node.create_subscription(Log, "/rosout", logged.append, 100)
        with (
            (tmp_path / "out").open("w") as out,
            subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=out) as run,
        ):

            def has_ended():
                names.update(listener.node.get_node_names_and_namespaces())
                return run.poll() is not None

            assert listener.spin_until(has_ended, 250)
            assert run.returncode == 0, (tmp_path / "out").read_text()
    assert ("learner", "/lab") in names
    assert ("unity_endpoint", "/") in names
    texts = [log.msg for log in logged if log.name == "lab.learner"]
    assert any(re.search(r"players? connected", text) for text in texts), texts
    folder = tmp_path / "experiments/Navigation-v0/ppo/noded"
    assert (folder / "model.zip").exists()
    assert "n_environments: 2" in (folder / "config.yaml").read_text()


def test_parameters_become_options_and_overrides():
    given = {
        "use_sim_time": True,
        "start_type_description_service": True,
        "robot": "robot.yaml",
        "dry_run": True,
        "enable": False,
        "training.use_wandb": False,
        "overrides": ["", "training.seed=1"],
        "algorithm.architecture.net_arch": [64, 64],
    }
    assert words("deploy", given) == [
        "--robot", "robot.yaml", "--dry-run", "training.use_wandb=false", "training.seed=1",
        "algorithm.architecture.net_arch=[64,64]",
    ]  # fmt: skip


def test_a_node_of_another_package_runs_as_it_is(tmp_path, monkeypatch):
    node = tmp_path / "lib/their_pkg/their_node"
    node.parent.mkdir(parents=True)
    node.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\n')
    node.chmod(0o755)
    call = [
        "-m",
        "rl_pipeline.cli.nodes.launch_node",
        "ros.package_name=their_pkg",
        "ros.node_name=their_node",
        "--ros-args",
        "-p",
        "a:=1",
    ]
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    subprocess.run([sys.executable, *call], check=True, timeout=60)
    assert (tmp_path / "said").read_text() == "--ros-args -p a:=1\n"


def test_an_unknown_node_or_package_is_told_with_the_nearest(monkeypatch):
    monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)
    with pytest.raises(UnknownNameError, match=r"ros\.node_name: unknown node 'trian'; did you mean 'train'\?"):
        run(["ros.node_name=trian"])
    with pytest.raises(UnknownNameError, match="unknown package 'example_pkg'; did you mean 'examples_pkg'"):
        run(["ros.package_name=example_pkg"])
