"""Rates of this package and of service calls of rclpy with the same messages: the ros benchmark.

rclpy is measured with the executor of `rclpy.spin` and, if it has one, with its faster executor that is woken by
events, the same at both ends.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rl_pipeline.benchmarks.canned import Round, canned_simulation, rate_of, step_batched
from rl_pipeline.benchmarks.figures import TIMES, Bar, Figures, interleave, spread
from rl_pipeline.benchmarks.rclpy_services import (
    DEFAULT_EXECUTOR,
    EVENTS_EXECUTOR,
    TIMEOUT,
    has_events_executor,
    isolated_domain,
    make_executor,
    start_service,
    step_type,
)
from rl_pipeline.errors import InputError
from rl_pipeline.ros.installation import require_interfaces

NOTE: Final = (
    "Round trips of a navigation step with 30 rays between two processes, one at a time. Ours with decoding, "
    "observation, reward and ends of episodes, rclpy without. Median of the repetitions; the gain is pair by pair."
)
REACH: Final = 9.0


@dataclass
class Case:
    """rclpy with one kind of executor.

    Attributes:
        executor: name of its class.
        reach: target, as the ratio of the rates; 0: none is set.
        rates: environment steps per second of this package, one for each repetition.
        their_rates: service calls per second of rclpy.
    """

    executor: str
    reach: float = 0.0
    rates: list[float] = field(default_factory=list)
    their_rates: list[float] = field(default_factory=list)

    @property
    def gains(self) -> list[float]:
        """Ratio of this package's rate to rclpy's, one for each repetition."""
        return [ours / theirs for ours, theirs in zip(self.rates, self.their_rates, strict=True)]

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        ours, theirs = statistics.median(self.rates), statistics.median(self.their_rates)
        reach = f"{self.reach:.0f} times" if self.reach else ""
        return (
            f"rclpy, {self.executor}",
            f"{ours:,.0f}",
            f"{theirs:,.0f}",
            f"{statistics.median(self.gains):.1f} times",
            spread(self.gains),
            reach,
        )


def measure_ros(*, seconds: float = 1.0, repetitions: int = 3, progress: Callable[[str], object] = str) -> Figures:
    """Measure one player of this package, and rclpy with each of its executors.

    Args:
        seconds: length of one measurement.
        repetitions: measurements of each case, interleaved.
        progress: called with the name of each case.

    Raises:
        InputError: ROS 2 is not installed, or the interfaces are not built.
    """
    require_interfaces()
    cases = [Case(DEFAULT_EXECUTOR, REACH)]
    if has_events_executor():
        cases.append(Case(EVENTS_EXECUTOR))
    # This package's player, and a service of rclpy for each executor, all waiting unless they are measured.
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        config, _ = canned_simulation(directory)
        ours = step_batched(stack, config, directory / "logs", 1)
        stack.enter_context(isolated_domain(1 + os.getpid() % 100))
        named = [(f"rclpy, {case.executor}", (case, _make_call(stack, directory, case.executor))) for case in cases]
        for case, call in interleave(named, repetitions, progress):
            case.their_rates.append(rate_of(call, 1, seconds))
            case.rates.append(rate_of(ours, 1, seconds))
    return Figures(
        "Round trips per second with one player",
        ("against", "ours", "rclpy", "gain", "spread", "reach"),
        [case.row() for case in cases],
        NOTE,
        {"cases": [asdict(case) for case in cases]},
        [Bar(f"rclpy service, {case.executor}", case.gains, case.reach, TIMES) for case in cases],
    )


def _make_call(stack: ExitStack, directory: Path, executor_name: str) -> Round:
    """Start a service in another process; returns a function that calls it and waits for the response."""
    from rclpy.context import Context
    from rclpy.node import Node

    name = f"/benchmark/{executor_name}/step"
    start_service(stack, name, directory / "response.bin", executor_name)
    # A context of its own: the process may have a node already.
    context = Context()
    context.init()
    stack.callback(context.try_shutdown)
    node = Node(f"client_{executor_name.lower()}", context=context)
    stack.callback(node.destroy_node)
    executor = make_executor(executor_name, context)
    stack.callback(executor.shutdown)
    executor.add_node(node)
    # The client, once the service has been discovered.
    client = node.create_client(step_type(), name)
    if not client.wait_for_service(TIMEOUT):
        raise InputError(f"ROS 2: the service of the benchmark was not discovered within {TIMEOUT:.0f} s")
    request = step_type().Request()

    def call() -> None:
        executor.spin_until_future_complete(client.call_async(request), TIMEOUT)

    return call
