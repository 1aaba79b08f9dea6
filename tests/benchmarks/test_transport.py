"""The transport benchmark, with that of the endpoint on ROS as its companion."""

import json
from importlib.util import find_spec
from io import StringIO

import pytest
from rich.console import Console

from rl_pipeline.benchmarks.running import benchmark
from tests.support.benchmarks import SHORT


def has_ros():
    return all(find_spec(name) is not None for name in ("rclpy", "interfaces_pkg"))


@pytest.mark.slow
def test_transport_comes_with_the_endpoint_on_ros_where_that_is_installed(tmp_path):
    output, file = StringIO(), tmp_path / "figures.json"
    benchmark("transport", Console(file=output, width=200), options=SHORT | {"players": 2}, json_file=file)
    figures = json.loads(file.read_text())
    assert figures["cases"]
    if has_ros():
        assert figures["ros-endpoint"]["rates"]["ros2 backend, 2 players"]
    else:
        assert "ros-endpoint is left out. ROS 2" in output.getvalue()
