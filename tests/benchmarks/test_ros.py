"""The ros benchmark, in short."""

import pytest

from rl_pipeline.benchmarks.ros import measure_ros
from tests.support.benchmarks import SHORT, check_figures


def test_service_calls_of_rclpy_are_measured():
    pytest.importorskip("rclpy")
    pytest.importorskip("interfaces_pkg")
    figures = measure_ros(**SHORT)
    check_figures(figures, [bar.name for bar in figures.bars])
    assert figures.bars[0].name == "rclpy service, SingleThreadedExecutor"
