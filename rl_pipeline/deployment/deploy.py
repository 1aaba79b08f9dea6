"""`rl-pipeline deploy`: run a trained policy as a ROS 2 node on a robot or a running simulation."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from rl_pipeline.config.schema import Config
from rl_pipeline.deployment.config import read_deployment
from rl_pipeline.deployment.field_mapping import ActionMapping, StateMapping
from rl_pipeline.envs.registration import make_task, task_id
from rl_pipeline.envs.task import Task
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.agents import Agent, baseline_agent
from rl_pipeline.evaluation.policy import Policy
from rl_pipeline.evaluation.selection import Selection
from rl_pipeline.experiment.checkpoints.model_file import ModelFile
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.ros.session import RosSession

logger = logging.getLogger(__name__)


def deploy(
    selection: Selection,
    robot: Path,
    *,
    dry_run: bool = False,
    enable: bool = False,
    ros_arguments: Sequence[str] = (),
) -> None:
    """Run the policy until interrupted; then command zero.

    Args:
        selection: the agent and its configuration.
        robot: the deployment file.
        dry_run: publish actions on `~/action` only, not on the topic of the robot.
        enable: act at once, even if the file says otherwise.
        ros_arguments: `--ros-args` and the arguments after it.

    Raises:
        InputError: the file or the model is missing or not valid, they do not match, or ROS 2 is not installed.
    """
    # Check the file against the task, before ROS is needed.
    deployment = read_deployment(robot)
    if enable:
        deployment = deployment.model_copy(update={"enabled": True})
    task = _make_task(selection.config)
    try:
        service = load_interfaces().service(task.step_service)
        StateMapping(deployment, service)
        ActionMapping(deployment.action, service)
    except InputError as error:
        raise InputError(f"{robot}: {error}") from None
    agent = make_agent(selection, task)

    # Use the session of this process, as in launch files, or open one.
    shared = RosSession.of_process()
    session = shared or RosSession("deploy", ros_arguments)
    try:
        # After the session, whose error says how to install ROS 2 if rclpy is missing.
        from rl_pipeline.deployment.policy_node import PolicyNode

        node = PolicyNode(session.node, task, agent, deployment, dry_run=dry_run)
        name = session.node.get_fully_qualified_name()
        hint = "" if node.enabled else f"; {_enable_hint(name)}"
        logger.info("%s: %s on ROS node %s%s", "dry run" if dry_run else "policy", selection.name, name, hint)
        try:
            with contextlib.suppress(KeyboardInterrupt):
                session.spin()
        finally:
            node.close()
    finally:
        if shared is None:
            session.close()


def _enable_hint(node: str) -> str:
    call = f"ros2 service call {node}/enable std_srvs/srv/SetBool '{{data: true}}'"
    return f"it publishes nothing and acts when {node}/enable is called ({call}), or at once with --enable"


def make_agent(selection: Selection, task: Task) -> Agent:
    """Build the selected agent with its preprocessing, for the task's spaces and without a simulator."""
    if selection.model is None:
        return baseline_agent(selection.agent, task.action_space, 1, selection.config.evaluation.seed)
    # The robot takes the place of the simulator: do not ask for a build or a backend.
    config, simulation = selection.config, selection.config.simulation
    replaced = {
        "backend": "direct",
        "unity": simulation.unity.model_copy(update={"launch": False}),
    }
    config = config.model_copy(update={"simulation": simulation.model_copy(update=replaced)})
    return _PolicyAgent(Policy(config, ModelFile.open(selection.model)))


class _PolicyAgent:
    """A policy as an agent; the policy keeps its recurrent state itself."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[NDArray[Any], Any]:
        """Return actions for the observations that follow the last actions; the state is True after the first."""
        actions = self._policy.predict(observation, episode_starts=episode_start, deterministic=deterministic)
        return actions, True


def _make_task(config: Config) -> Task:
    env_id = config.environment.id
    if task_id(env_id) is None:
        raise InputError(f"environment.id: a policy is deployed for a task of this package, and {env_id} is none")
    return make_task(env_id, **config.environment_options)
