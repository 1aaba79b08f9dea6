"""A plain rclpy script, written without this project, works with an embedded player through the endpoint."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("interfaces_pkg.srv", reason="the ROS workspace is not built (bash ros_ws/build.bash)")


@pytest.fixture
def embedded_player(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "disabled")
    words = [sys.executable, "-m", "rl_pipeline.players.navigation", "-batchmode", "--pause", "false"]
    words += ["--time-scale", "4", "--camera-rate", "5", "--ros-port", str(server.port)]
    player = subprocess.Popen([*words, "-logFile", str(tmp_path / "player.log")])
    yield player
    player.kill()
    player.wait(10)


@pytest.mark.slow
def test_script_steps_watches_and_drives_an_embedded_player(embedded_player):
    script = Path(__file__).with_name("plain_node.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    count, image_format, start = re.search(r"images (\d+) (\w+) (\w+)", done.stdout).groups()
    assert int(count) >= 20
    assert (image_format, start) == ("jpeg", "ffd8ff")
    assert float(re.search(r"turned (\S+)", done.stdout)[1]) > 0.1
