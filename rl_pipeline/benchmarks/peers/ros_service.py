"""Minimal ROS service: answers every request of a navigation step at once with the same response.

Runs as a script. Arguments: the name of the service, the class of its executor, and a file with the payload of its
responses.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.serialization import deserialize_message

from rl_pipeline.benchmarks.rclpy_services import make_executor, step_type


def main(name: str, executor_name: str, payload: bytes) -> None:
    """Offer the service until the process is terminated."""
    response = deserialize_message(payload, step_type().Response)

    def answer(request: Any, unfilled: Any) -> Any:
        return response

    rclpy.init()
    node = rclpy.create_node(f"service_{name.strip('/').replace('/', '_').lower()}")
    node.create_service(step_type(), name, answer)
    # Like `rclpy.spin`, which has no choice of executor.
    executor = make_executor(executor_name, rclpy.get_default_context())
    executor.add_node(node)
    with contextlib.suppress(ExternalShutdownException, KeyboardInterrupt):
        while rclpy.ok():
            executor.spin_once(timeout_sec=1.0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_bytes())
