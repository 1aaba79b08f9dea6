"""Our link against service calls of rclpy with the same messages between two processes: the ros benchmark.

rclpy is measured with the executor that `rclpy.spin` takes and, where there is one, with the faster one that is woken
by events. Both ends have the same.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rl_pipeline.benchmarks.canned import Round, canned_simulation, rate_of, step_batched
from rl_pipeline.benchmarks.figures import TIMES, Bar, Figures, interleave, spread
from rl_pipeline.errors import InputError
from rl_pipeline.ros.installation import require_interfaces

NOTE: Final = (
    "Round trips of a navigation step with 30 rays between two processes, one at a time. Ours with decoding, "
    "observation, reward and ends of episodes, rclpy without. Median of the repetitions; the gain is pair by pair."
)
SERVICE: Final = "/benchmark/{}/step"
REACH: Final = 9.0
_USUAL: Final = "SingleThreadedExecutor"
_BY_EVENTS: Final = "EventsExecutor"
_TIMEOUT: Final = 30.0


@dataclass
class Case:
    """rclpy with one kind of executor.

    Attributes:
        executor: name of its class.
        reach: how many times as fast ours must be; 0: none is set.
        rates: our environment steps per second, one a repetition.
        their_rates: service calls per second.
    """

    executor: str
    reach: float = 0.0
    rates: list[float] = field(default_factory=list)
    their_rates: list[float] = field(default_factory=list)

    @property
    def gains(self) -> list[float]:
        """How many times as fast ours is, one a repetition."""
        return [ours / theirs for ours, theirs in zip(self.rates, self.their_rates, strict=True)]

    def row(self) -> tuple[str, ...]:
        """Cells of the table."""
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
    """Measure one player of ours, and rclpy with each of its executors.

    Args:
        seconds: length of one measurement.
        repetitions: measurements of each case, interleave.
        progress: called with what is being measured.

    Raises:
        InputError: ROS 2 is not installed, or the interfaces are not built.
    """
    require_interfaces()
    cases = [Case(_USUAL, REACH)]
    if _has_events_executor():
        cases.append(Case(_BY_EVENTS))
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rl_pipeline_benchmark_")))
        config, _ = canned_simulation(directory)
        ours = step_batched(stack, config, directory / "logs", 1)
        stack.enter_context(apart(1 + os.getpid() % 100))
        named = [(f"rclpy, {case.executor}", (case, _call(stack, directory, case.executor))) for case in cases]
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


def step_type() -> Any:
    """The Python class of the step service."""
    return importlib.import_module("interfaces_pkg.srv").NavigationStep


def executor_of(name: str, context: Any) -> Any:
    """A new executor of the class of this name."""
    module = "rclpy.experimental" if name == _BY_EVENTS else "rclpy.executors"
    return getattr(importlib.import_module(module), name)(context=context)


def _has_events_executor() -> bool:
    try:
        return hasattr(importlib.import_module("rclpy.experimental"), _BY_EVENTS)
    except ImportError:
        return False


def _call(stack: ExitStack, directory: Path, executor_name: str) -> Round:
    """Call the service of another process and wait for its response."""
    from rclpy.context import Context
    from rclpy.node import Node

    script = Path(__file__).with_name("ros_service.py")
    command = [sys.executable, str(script), executor_name, str(directory / "response.bin")]
    service = subprocess.Popen(command, start_new_session=True)
    stack.callback(end, service)
    context = Context()
    context.init()
    stack.callback(context.try_shutdown)
    node = Node(f"client_{executor_name.lower()}", context=context)
    stack.callback(node.destroy_node)
    executor = executor_of(executor_name, context)
    stack.callback(executor.shutdown)
    executor.add_node(node)
    client = node.create_client(step_type(), SERVICE.format(executor_name))
    if not client.wait_for_service(_TIMEOUT):
        raise InputError(f"ROS 2: the service of the benchmark was not discovered within {_TIMEOUT:.0f} s")
    request = step_type().Request()

    def call() -> None:
        executor.spin_until_future_complete(client.call_async(request), _TIMEOUT)

    return call


@contextmanager
def apart(domain: int) -> Iterator[None]:
    """Have nodes that this process and its children make see each other in a ROS domain, and nobody else."""
    apart = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_DOMAIN_ID": str(domain)}
    before = {name: os.environ.get(name) for name in apart}
    os.environ.update(apart)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and see to it that it does."""
    process.terminate()
    try:
        process.wait(_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
