"""Run a verb of `rl-pipeline` as a ROS 2 node: node parameters set its options, and the node's log has its log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rl_pipeline import cli
from rl_pipeline.cli.registration import VERBS
from rl_pipeline.ros.logs import RosLogHandler
from rl_pipeline.ros.session import RosSession

ROS_ARGUMENTS: Final = "--ros-args"
ROS_PARAMETERS: Final = ("use_sim_time", "start_type_description_service", "qos_overrides.")
"""Parameters of rclpy itself; the last one is a prefix."""


def run_node(verb: str, arguments: Sequence[str], name: str | None = None) -> int:
    """Run a verb inside a node, and return its exit code.

    The node takes remappings, namespace, log level and parameters. A parameter with the name of an option sets that
    option, `overrides` is a list of overrides, and any other parameter is an override:
    `-p config_name:=navigation_sac -p training.total_timesteps:=20000`.

    Args:
        verb: such as `train`.
        arguments: of the verb; then `--ros-args` and those of ROS.
        name: name of the node, unless it is remapped; None: the verb.
    """
    split = arguments.index(ROS_ARGUMENTS) if ROS_ARGUMENTS in arguments else len(arguments)
    own, of_ros = arguments[:split], arguments[split:]
    codes: list[int] = []
    debug = "--debug" in own

    def run() -> None:
        with RosSession(name or verb, of_ros) as session:
            # The ros2 backend of this process uses the same node.
            session.become_process()
            handler = RosLogHandler(session.node)
            logging.getLogger("rl_pipeline").handlers = [handler]
            try:
                codes.append(cli.run([verb, *words(verb, session.parameters()), *own]))
            finally:
                logging.getLogger("rl_pipeline").removeHandler(handler)

    return cli.guarded(run, debug) or (codes[0] if codes else 0)


def words(verb: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return the command line that stands for the parameters of a verb's node."""
    parameters_of_verb = VERBS[verb].command().params
    options = {option.name: option for option in parameters_of_verb if option.param_type_name == "option"}
    return [word for name, value in parameters.items() for word in _words(name, value, options)]


def _words(name: str, value: Any, options: Mapping[str, Any]) -> Iterator[str]:
    if name.startswith(ROS_PARAMETERS) or value is None:
        return
    if name == "overrides":
        yield from filter(None, value)  # launch files cannot have an empty list, and have [''] instead
    elif (option := options.get(name)) is None:
        yield f"{name}={_text(value)}"
    elif not option.is_flag:
        yield from (option.opts[0], _text(value))
    elif value:
        yield option.opts[0]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    return f"[{','.join(map(_text, value))}]"


def main(verb: str, name: str | None = None) -> None:
    """Run a verb as a node with the arguments of the command line, and end the process."""
    sys.exit(run_node(verb, sys.argv[1:], name))
