"""A ROS node with a context of its own and the executor that runs its callbacks."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from rl_pipeline.errors import InputError
from rl_pipeline.ros.installation import require_ros

if TYPE_CHECKING:
    from rclpy.context import Context
    from rclpy.executors import Executor
    from rclpy.node import Node

SHUTDOWN_TIMEOUT: Final = 5.0
"""Seconds that a running callback may take to end."""
MAX_SPIN: Final = 0.25
"""Seconds after which a wait checks its condition without an event."""

_of_process: RosSession | None = None


class RosSession:
    """A node in a context of its own, so that one process can have several, at once or one after another.

    Callbacks run while `spin_until` is called, by the calling thread. Closing the session withdraws the node from the
    graph. Signals are left to the process.

    Args:
        name: the node's name, unless the arguments remap it.
        arguments: `--ros-args` and its arguments: remappings, parameters, namespace, log level.
        use_sim_time: use `/clock` as the node's clock, unless the arguments set another.

    Attributes:
        context: context of the node; may hold more nodes.
        node: ROS node with the parameters of the arguments declared.
        executor: runs the callbacks of the node.

    Raises:
        InputError: ROS 2 is not installed, or refuses the arguments.
    """

    context: Context
    node: Node
    executor: Executor

    def __init__(self, name: str, arguments: Sequence[str] = (), *, use_sim_time: bool = False) -> None:
        require_ros()
        from rclpy.context import Context
        from rclpy.exceptions import InvalidNodeNameException
        from rclpy.node import Node
        from rclpy.parameter import Parameter

        # A node with the remappings and parameters of the arguments.
        self.context = Context()
        try:
            self.context.init(list(arguments), domain_id=_domain())
            self.node = Node(
                name,
                context=self.context,
                parameter_overrides=[Parameter("use_sim_time", value=True)] if use_sim_time else [],
                allow_undeclared_parameters=True,
                automatically_declare_parameters_from_overrides=True,
            )
        except (RuntimeError, ValueError, InvalidNodeNameException) as error:
            self.context.try_shutdown()
            raise InputError(f"ROS 2: {name} cannot be made: {str(error).splitlines()[0]}") from None
        self.executor = _make_executor(self.context)
        self.executor.add_node(self.node)

    @classmethod
    def of_process(cls) -> RosSession | None:
        """Return the session of a process that is a ROS node as a whole, such as the trainer's; None if it is not."""
        return _of_process

    def become_process(self) -> None:
        """Make this the node that all parts of this process share, until it is closed."""
        global _of_process
        _of_process = self

    def __enter__(self) -> RosSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def spin_until(self, done: Callable[[], object], timeout: float) -> bool:
        """Run callbacks until `done()` is true; return False if `timeout` (seconds) passed first."""
        deadline = time.monotonic() + timeout
        while not done():
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not self.context.ok():
                return bool(done())
            self.executor.spin_once(timeout_sec=min(remaining, MAX_SPIN))
        return True

    def spin(self) -> None:
        """Run callbacks until the context is shut down."""
        # Not the executor's own spin: that of EventsExecutor runs no callbacks on Kilted.
        while self.context.ok():
            self.executor.spin_once(timeout_sec=MAX_SPIN)

    def parameters(self) -> dict[str, Any]:
        """Return the values of all parameters by name."""
        return {name: parameter.value for name, parameter in self.node.get_parameters_by_prefix("").items()}

    def close(self) -> None:
        """End node and context; safe to call twice."""
        global _of_process
        if _of_process is self:
            _of_process = None
        # The executor first: it may be within a callback.
        if self.context.ok():
            self.executor.shutdown(timeout_sec=SHUTDOWN_TIMEOUT)
            self.node.destroy_node()
            self.context.try_shutdown()


def _domain() -> int | None:
    """Return the domain of `ROS_DOMAIN_ID`; None: the default one."""
    text = os.environ.get("ROS_DOMAIN_ID", "")
    if not text:
        return None
    if not text.isdecimal() or int(text) > 232:
        raise InputError(f"ROS_DOMAIN_ID: expected a whole number from 0 to 232, found {text!r}")
    return int(text)


def _make_executor(context: Context) -> Executor:
    """Make an EventsExecutor, which makes 1.7 to 3 times the calls of the executor that waits on sets.

    ROS distributions before Kilted have only the latter.
    """
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        from rclpy.executors import SingleThreadedExecutor

        return SingleThreadedExecutor(context=context)
    # It enables faulthandler on the descriptor of sys.stderr, which may be no file (a notebook's).
    with contextlib.redirect_stderr(sys.__stderr__):
        return EventsExecutor(context=context)
