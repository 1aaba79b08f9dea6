"""The launch files, and the nodes as launch starts them.

ROS launch comes with apt's ROS only. Here, what the files import of it notes what is asked of it, and the command is
made of that as launch_ros makes it: each value is read as YAML, and goes by way of a file of parameters.
"""

import re
import runpy
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
pytest.importorskip("examples_pkg", reason="the workspace is not built (bash ros_ws/build.bash)")

from tests.support import prepared

FILES = sorted((Path(__file__).parents[2] / "ros_ws/src/examples_pkg/launch").glob("*.launch.py"))


class LaunchConfiguration:
    def __init__(self, variable_name):
        self.name = variable_name


def modules():
    """What the launch files import, as modules that note the arguments."""
    launch, actions = types.ModuleType("launch"), types.ModuleType("launch.actions")
    substitutions, launch_ros = types.ModuleType("launch.substitutions"), types.ModuleType("launch_ros.actions")
    launch.LaunchDescription = list
    actions.DeclareLaunchArgument = lambda name, *, default_value: (name, default_value)
    substitutions.LaunchConfiguration = LaunchConfiguration
    launch_ros.Node = lambda **arguments: arguments
    return {each.__name__: each for each in (launch, actions, substitutions, launch_ros)}


@pytest.fixture
def command_of(monkeypatch, tmp_path):
    """The command line that a launch file amounts to, with the arguments that it is given."""

    def command(node, **given):
        for name, module in modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        path = next(path for path in FILES if path.name == f"{node}.launch.py")
        *declared, action = runpy.run_path(str(path))["generate_launch_description"]()
        values = dict(declared)
        assert given.keys() <= values.keys()
        values.update(given)
        (parameters,) = action["parameters"]
        read = {name: yaml.safe_load(values[value.name]) for name, value in parameters.items()}
        assert None not in read.values(), "launch refuses what is empty"
        file = tmp_path / f"{node}.yaml"
        file.write_text(yaml.safe_dump({"/**": {"ros__parameters": read}}))
        executable = Path(sys.prefix) / "lib" / action["package"] / action["executable"]
        return [str(executable), "--ros-args", "-r", f"__node:={action['name']}", "--params-file", str(file)]

    return command


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_launch_file_starts_an_executable_with_all_its_arguments(command_of, path):
    node = path.name.removesuffix(".launch.py")
    executable, *_, file = command_of(node)
    assert Path(executable).name == node
    assert Path(executable).exists()
    assert yaml.safe_load(Path(file).read_text())["/**"]["ros__parameters"]


def test_every_node_has_a_launch_file():
    executables = {path.name for path in (Path(sys.prefix) / "lib/examples_pkg").iterdir()}
    assert executables == {path.name.removesuffix(".launch.py") for path in FILES}


def test_the_endpoint_is_launched_on_the_port_that_is_given(command_of, tmp_path):
    with subprocess.Popen(
        command_of("endpoint", ROS_TCP_PORT="0"), cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        line = next((line for line in process.stderr if "listening" in line), "")
        process.send_signal(signal.SIGINT)  # what launch does at Ctrl-C
        process.stderr.read()
        assert process.wait(20) == 0
    assert re.search(r"listening on 127\.0\.0\.1:\d+", line)


@pytest.mark.slow
def test_an_evaluation_is_launched_with_options_and_overrides(command_of, workplace):
    overrides = "['n_environments=1', 'environment.horizon=5']"
    command = command_of("evaluate", experiment="tiny", episodes="2", overrides=overrides)
    evaluated = prepared.run(["python", *command], workplace)
    assert evaluated.returncode == 0, evaluated.stderr
    assert re.search(r"length +5\.0 steps", evaluated.stdout)
    assert re.search(r"episodes +2\n", evaluated.stdout)
