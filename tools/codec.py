"""Time the codec on batches of messages of the navigation scene, compared with the codec of rosbags.

Example:
    python tools/codec.py --batch 1 16 64 --rays 30
"""

from __future__ import annotations

import argparse
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from rl_pipeline.interfaces import MessageCodec, load_interfaces
from rl_pipeline.interfaces.definitions import Interfaces

SERVICE = "interfaces_pkg/NavigationStep"


def microseconds(call: Callable[[], Any]) -> float:
    """Return microseconds per call, the best of five runs of about 50 ms each."""
    timer = timeit.Timer(call)
    timer.timeit(1)
    number = max(1, int(0.05 / max(timer.timeit(5) / 5, 1e-7)))
    return min(timer.repeat(repeat=5, number=number)) / number * 1e6


class Reference:
    """Codec of rosbags for request and response of the service."""

    def __init__(self, interfaces: Interfaces) -> None:
        self.store = get_typestore(Stores.ROS2_JAZZY)
        (workspace,) = {folder for folder in interfaces.workspaces if (folder / "interfaces_pkg").is_dir()}
        types: dict[str, Any] = {}
        for path in (workspace / "interfaces_pkg" / "msg").glob("*.msg"):
            types |= get_types_from_msg(path.read_text(), f"interfaces_pkg/msg/{path.stem}")
        service = (workspace / "interfaces_pkg" / "srv" / "NavigationStep.srv").read_text()
        for half, text in zip(("Request", "Response"), service.split("---"), strict=True):
            types |= get_types_from_msg(text, f"interfaces_pkg/msg/NavigationStep_{half}")
        self.store.register(types)

    def decode(self, payload: bytes, half: str) -> Any:
        """Decode a payload of the given half, Request or Response."""
        return self.store.deserialize_cdr(payload, f"interfaces_pkg/msg/NavigationStep_{half}")

    def encode(self, message: Any) -> memoryview:
        """Encode a message object."""
        return self.store.serialize_cdr(message, message.__msgtype__)


def decoding(codec: MessageCodec, reference: Reference, n: int, rays: int) -> dict[str, float]:
    """Return microseconds to decode `n` responses and read four of their fields, by method."""
    layout = codec.layout({"state.lidar.ranges": rays, "state.lidar.tags": rays})
    payloads = [layout.empty(1).bytes(0)] * n
    rows = np.frombuffer(b"".join(payloads), np.uint8).reshape(n, -1)
    batch = layout.view(rows)

    def reused() -> Any:
        assert layout.matches(rows)
        state = batch.state
        return state.pose.position.x, state.health, state.goal_timer.elapsed, state.lidar.ranges

    def copied() -> Any:
        state = codec.decode_batch(payloads).state
        return state.pose.position.x, state.health, state.goal_timer.elapsed, state.lidar.ranges

    def referenced() -> Any:
        states = [reference.decode(payload, "Response").state for payload in payloads]
        return np.stack([state.lidar.ranges for state in states]), [state.pose.position.x for state in states]

    return {
        "rosbags, one by one": microseconds(referenced),
        "decode_batch": microseconds(copied),
        "matches, reused batch": microseconds(reused),
    }


def encoding(codec: MessageCodec, reference: Reference, n: int) -> dict[str, float]:
    """Return microseconds to encode `n` requests with an action of two numbers, by method."""
    actions = np.random.default_rng(0).normal(size=(n, 2))
    batch = codec.layout().empty(n)
    message = reference.decode(batch.bytes(0), "Request")

    def assigned() -> None:
        batch["action.linear.x"] = actions[:, 0]
        batch["action.angular.z"] = actions[:, 1]

    def to_bytes() -> list[bytes]:
        assigned()
        return [batch.bytes(row) for row in range(n)]

    def referenced() -> list[memoryview]:
        return [reference.encode(message) for _ in range(n)]

    return {
        "rosbags, one by one": microseconds(referenced),
        "assign, bytes of rows": microseconds(to_bytes),
        "assign into rows": microseconds(assigned),
    }


def report(title: str, by_batch: dict[int, dict[str, float]]) -> Table:
    """Return a table with a row for each method and batch size; ratios are to the first method of that size."""
    table = Table("batch", "way", "µs a batch", "µs a message", "x rosbags", title=title)
    for n, ways in by_batch.items():
        base = next(iter(ways.values()))
        for way, spent in ways.items():
            table.add_row(str(n), way, f"{spent:.1f}", f"{spent / n:.2f}", f"{base / spent:.1f}")
        table.add_section()
    return table


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 64], help="messages in a batch")
    parser.add_argument("--rays", type=int, default=30, help="rays of the lidar in a response")
    arguments = parser.parse_args()
    interfaces = load_interfaces()
    service, reference = interfaces.service(SERVICE), Reference(interfaces)
    console = Console()
    size = service.response.layout({"state.lidar.ranges": arguments.rays, "state.lidar.tags": arguments.rays}).size
    decoded = {n: decoding(service.response, reference, n, arguments.rays) for n in arguments.batch}
    console.print(report(f"decode {SERVICE} response, {size} bytes", decoded))
    encoded = {n: encoding(service.request, reference, n) for n in arguments.batch}
    console.print(report(f"encode {SERVICE} request, {service.request.layout().size} bytes", encoded))


if __name__ == "__main__":
    main()
