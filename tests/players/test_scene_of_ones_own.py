"""The scene that docs/players.md shows works as it stands there."""

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.transport.endpoint import Endpoint

ROOT = Path(__file__).parents[2]
REQUEST = "builtin_interfaces/Time request_sent\nbool render\n"
RESPONSE = """---
builtin_interfaces/Time request_received
builtin_interfaces/Time response_sent
float64 simulated_time
PendulumState state
sensor_msgs/CompressedImage image
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with the definitions that the page describes."""
    package = tmp_path / "workspace" / "interfaces_pkg"
    shutil.copytree(ROOT / "ros_ws" / "src" / "interfaces_pkg", package)
    (package / "msg" / "PendulumState.msg").write_text("float64 angle\n")
    (package / "srv" / "PendulumReset.srv").write_text(f"{REQUEST}uint32 seed\n{RESPONSE}")
    (package / "srv" / "PendulumStep.srv").write_text(f"{REQUEST}float64 torque\n{RESPONSE}")
    return package.parent


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The page's scene as a file."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "players.md").read_text(), re.DOTALL)
    program = tmp_path / "pendulum.py"
    program.write_text(next(block for block in blocks if "PendulumScene" in block))
    return program


def test_a_new_scene_is_one_class(workspace: Path, program: Path) -> None:
    interfaces = load_interfaces(workspace)
    reset, step = (interfaces.service(f"interfaces_pkg/Pendulum{verb}") for verb in ("Reset", "Step"))
    environment = {**os.environ, "RL_PIPELINE_WORKSPACE": str(workspace), "MUJOCO_GL": "disabled"}
    with Endpoint(port=None) as endpoint:
        port = endpoint.listen(0)
        command = [sys.executable, str(program), "-batchmode", "--ros-port", str(port), "--time-scale", "0"]
        with subprocess.Popen(command, env=environment) as player:
            try:
                assert endpoint.wait_until(lambda: "/pendulum_0/step" in endpoint.services, 20.0)
                started = reset.response.decode(
                    endpoint.call("/pendulum_0/reset", reset.request.encode({"seed": 4}), 20.0)
                )
                assert started["state"]["angle"] == 1.0
                request = step.request.encode({"torque": 0.5, "render": True})
                moved = step.response.decode(endpoint.call("/pendulum_0/step", request, 20.0))
                assert moved["simulated_time"] == pytest.approx(0.05)
                assert moved["state"]["angle"] != 1.0
                assert len(Image.open(io.BytesIO(moved["image"]["data"].tobytes())).convert("L").getcolors() or []) > 20
            finally:
                player.terminate()
        assert player.wait(timeout=60) == 0
