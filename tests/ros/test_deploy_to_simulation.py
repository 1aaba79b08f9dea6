"""The commands of docs/ros.md bring a policy to a running simulation, with nothing between but the endpoint."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
pytest.importorskip("interfaces_pkg", reason="the ROS workspace is not built (bash ros_ws/build.bash)")

ROOT = Path(__file__).parents[2]
SECTION = re.search(r"### A simulation as a robot\n(.*?)\n## ", (ROOT / "docs/ros.md").read_text(), re.DOTALL)[1]
COMMANDS = re.search(r"```bash\n(.*?)```", SECTION, re.DOTALL)[1].splitlines()

pytestmark = pytest.mark.slow


@pytest.fixture
def start(workplace):
    """Start a command of the page as a process, in the folder of the experiment `tiny`."""
    processes = []

    def start(command, *arguments, **changed):
        words = [changed.get(word, word) for word in shlex.split(command)]
        programs = {"rl-pipeline": [sys.executable, "-m", "rl_pipeline.cli"], "python": [sys.executable]}
        process = subprocess.Popen(
            [*programs[words[0]], *words[1:], *arguments],
            cwd=workplace,
            env={**os.environ, "MUJOCO_GL": "disabled"},
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        process.wait(30)
        process.stderr.close()


def line_of(process, pattern):
    """The match in the first line of its log that has one."""
    seen = []
    for line in process.stderr:
        seen.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError("".join(seen))


def test_a_policy_drives_the_embedded_player(start, workplace, eventually):
    from interfaces_pkg.msg import NavigationState
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node

    endpoint, player, deploy = COMMANDS
    port = line_of(start(endpoint, "ros.tcp_port=0"), r"listening on \S+:(\d+)")[1]
    start(player, **{"10000": port})
    (workplace / "ros_ws").symlink_to(ROOT / "ros_ws")
    line_of(start(deploy, navigation_ppo="tiny"), "policy: .* on ROS node /deploy")

    context = Context()
    context.init()
    node, executor = Node("watcher", context=context), SingleThreadedExecutor(context=context)
    executor.add_node(node)
    states = []
    node.create_subscription(NavigationState, "/navigation_0/state", states.append, 10)

    def moved():
        executor.spin_once(timeout_sec=0.05)
        return states and abs(states[-1].pose.position.x - states[0].pose.position.x) > 0.01

    try:
        eventually(moved, 60)
    finally:
        executor.shutdown(timeout_sec=5)
        node.destroy_node()
        context.try_shutdown()
