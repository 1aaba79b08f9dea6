"""The ros-endpoint benchmark, in short: through the endpoint, the step service of a player is that of the ROS graph."""

import pytest

from tests.support.benchmarks import SHORT, check_figures


@pytest.mark.slow
def test_calls_with_and_without_the_endpoint_are_measured():
    pytest.importorskip("rclpy")
    pytest.importorskip("interfaces_pkg")
    from rl_pipeline.benchmarks.ros_endpoint import measure_ros_endpoint

    figures = measure_ros_endpoint(players=2, **SHORT)
    check_figures(figures, [bar.name for bar in figures.bars])
    assert len(figures.rows) == 5
