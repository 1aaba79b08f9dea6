"""`rl-pipeline deploy` drives a robot that knows ROS alone, and stops it whenever in doubt."""

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")
pytest.importorskip("nav_msgs", reason="ROS 2 has no nav_msgs here")

from tests.support.robot import Robot

VEHICLE = Path(__file__).parents[2] / "ros_ws/src/examples_pkg/config/vehicle.yaml"
IN_FLIGHT = 0.5
"""Seconds after which what was published before has arrived."""

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def deployed(folder, *arguments):
    """The verb as a process that is up; gives the lines of its log."""
    command = [sys.executable, "-m", "rl_pipeline.cli", "deploy", "--experiment", "tiny", "--robot", str(VEHICLE)]
    with subprocess.Popen([*command, *arguments], cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(process.stderr))
        try:
            for line in process.stderr:
                lines.append(line)
                if "ROS node" in line:
                    break
            else:
                raise AssertionError("".join(lines))
            reader.start()
            yield lines, process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
            if reader.ident is not None:
                reader.join(5)


@pytest.fixture
def robot():
    robots = []

    def start(policy="/deploy"):
        robots.append(Robot(policy))
        return robots[-1]

    yield start
    for one in robots:
        one.close()


def test_it_drives_when_enabled_at_the_control_rate_and_stops_when_in_doubt(workplace, robot, eventually):
    vehicle = robot()
    with deployed(workplace) as (lines, process):
        assert "it publishes nothing and acts when /deploy/enable is called" in lines[-1]
        eventually(lambda: vehicle.node.count_subscribers("/scan") == 1, 20)
        assert vehicle.twists == []
        assert vehicle.enable().startswith("enabled")

        began, start = time.monotonic(), vehicle.position
        eventually(lambda: len(vehicle.since(began)) > 20, 20)
        # 10 Hz, half of what sensors come at; on a machine under load messages come late, and then several at once.
        assert 2 < len(vehicle.since(began)) / (time.monotonic() - began) < 15
        assert np.abs(vehicle.since(began)).sum() > 0
        assert np.linalg.norm(vehicle.position - start) > 0.01

        vehicle.talking = False
        eventually(lambda: any("commanding zero" in line for line in lines), 20)
        silent = time.monotonic() + IN_FLIGHT
        eventually(lambda: len(vehicle.since(silent)) > 2, 20)
        assert not vehicle.since(silent).any()
        assert re.search("no message on odom, scan for 0.5 s", "".join(lines))

        vehicle.talking, back = True, time.monotonic()
        eventually(lambda: vehicle.since(back).any(), 20)
        assert vehicle.enable(False) == "disabled"
        eventually(lambda: not vehicle.since(back)[-1].any(), 20)
        disabled = time.monotonic() + IN_FLIGHT
        eventually(lambda: time.monotonic() > disabled + 0.5)
        assert len(vehicle.since(disabled)) == 0

        vehicle.enable()
        eventually(lambda: vehicle.since(disabled).any(), 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    eventually(lambda: not vehicle.since(disabled)[-1].any())


def test_a_dry_run_shows_actions_and_commands_none(workplace, robot, eventually):
    vehicle = robot("/lab/pilot")
    with deployed(workplace, "--dry-run", "--enable", "--ros-args", "-r", "__ns:=/lab", "-r", "__node:=pilot",
                  "-r", "odom:=/odom", "-r", "scan:=/scan", "-r", "goal_pose:=/goal_pose"):  # fmt: skip
        eventually(lambda: len(vehicle.shown) > 5, 20)
        assert any(twist[1:] != (0.0, 0.0) for twist in vehicle.shown)
        assert vehicle.node.count_publishers("/lab/cmd_vel") == vehicle.node.count_publishers("/cmd_vel") == 0
        assert vehicle.twists == []
