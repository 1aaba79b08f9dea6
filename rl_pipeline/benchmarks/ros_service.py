"""The smallest ROS service: answers every request of a navigation step at once with the same response.

Run as a file of its own. Arguments: the class of its executor, and a file with the payload of its responses.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from rl_pipeline.benchmarks.ros import SERVICE, executor_of, step_type


def main(executor_name: str, payload: bytes) -> None:
    """Offer the service until the process is ended."""
    response = deserialize_message(payload, step_type().Response)

    def answer(request: Any, _: Any) -> Any:
        return response

    rclpy.init()
    node = Node(f"service_{executor_name.lower()}")
    node.create_service(step_type(), SERVICE.format(executor_name), answer)
    executor = executor_of(executor_name, rclpy.get_default_context())
    executor.add_node(node)
    with contextlib.suppress(ExternalShutdownException, KeyboardInterrupt):
        while rclpy.ok():
            executor.spin_once(timeout_sec=1.0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).read_bytes())
