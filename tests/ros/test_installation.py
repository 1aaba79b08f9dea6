"""A machine without ROS 2, or with another distribution of it, is one clear error."""

import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline.cli.doctor import findings
from rl_pipeline.errors import InputError
from rl_pipeline.ros.installation import require_interfaces, require_ros

INTERFACES = Path(__file__).parents[2] / "ros_ws/src/interfaces_pkg"
STEP = "interfaces_pkg/NavigationStep"


@pytest.fixture
def with_ros():
    pytest.importorskip("rclpy", reason="ROS 2 is not installed (bash install.bash ros)")


def test_a_python_without_rclpy_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    with pytest.raises(InputError, match=r"this Python has no rclpy; install it into \.venv: bash install\.bash ros"):
        require_ros()
    assert next(finding for finding in findings() if finding.name == "ROS 2").available is None


def test_a_distribution_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.setenv("ROS_DISTRO", "foxy")
    with pytest.raises(InputError, match="ROS_DISTRO is foxy, but"):
        require_ros()


@pytest.mark.usefixtures("with_ros")
def test_a_distribution_other_than_that_of_rclpy_is_refused_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setenv("ROS_DISTRO", "humble")
    command = [sys.executable, "-m", "rl_pipeline.cli", "train", "--config-name", "navigation_ppo", "ros.backend=ros2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ROS_DISTRO: expected kilted, of which rclpy is (")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "experiments").exists()


@pytest.mark.usefixtures("with_ros")
def test_a_workspace_that_is_not_built_says_how_to_build_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "interfaces_pkg", None)
    with pytest.raises(InputError, match=r"interfaces_pkg is not built for this Python; run: bash ros_ws/build\.bash"):
        require_interfaces()
