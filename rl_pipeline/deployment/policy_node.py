"""ROS node that runs a policy: topics in, actions out at the control rate, and zero if anything is wrong."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rl_pipeline.deployment.config import Deployment
from rl_pipeline.deployment.field_mapping import ActionMapping, StateMapping
from rl_pipeline.envs.observations import arrays_of, shape_of, space_shape
from rl_pipeline.envs.received_states import attach_last_actions
from rl_pipeline.envs.task import Task
from rl_pipeline.evaluation.agents import Agent
from rl_pipeline.interfaces import CodecError, load_interfaces
from rl_pipeline.ros.message_types import message_class

if TYPE_CHECKING:
    from rclpy.node import Node


class PolicyNode:
    """Policy on a ROS node: subscribes to the state and publishes the action at the control rate.

    It acts only while enabled (`~/enable`, std_srvs/SetBool) and while no topic is stale. Otherwise it commands the
    action zero: once when it is disabled, at every period while a topic is stale, and once when it is closed. In a dry
    run nothing is published on the action topic. Every command is also published on `~/action`.

    The control period follows the node's clock, which may be simulated. Staleness follows this machine's clock, so that
    a robot is stopped even when simulated time stands still.

    Args:
        node: node of the topics, services and timers.
        task: the task that the policy was trained for.
        agent: the policy; acts deterministically.
        deployment: the topics, and their mapping to state and action.
        dry_run: publish nothing on the action topic.

    Raises:
        InputError: a message type is not installed, or the deployment does not match the task.
    """

    def __init__(self, node: Node, task: Task, agent: Agent, deployment: Deployment, *, dry_run: bool = False) -> None:
        from rclpy.clock import Clock, ClockType
        from rclpy.qos import qos_profile_sensor_data
        from std_srvs.srv import SetBool

        service = load_interfaces().service(task.step_service)
        self._node = node
        self._task = task
        self._agent = agent
        self._state = StateMapping(deployment, service)
        self._action = ActionMapping(deployment.action, service)
        self._stale_after = deployment.stale_after
        self._watched = {name for name, topic in deployment.state.items() if topic.watched}
        self._zero = np.zeros((1, *(task.action_space.shape or ())), task.action_space.dtype)
        # Last payload of each topic, and its time of arrival on the monotonic clock.
        self._payloads: dict[str, bytes] = {}
        self._arrivals: dict[str, float] = {}
        # State of the policy in the current episode.
        self._memory: Any = None
        self._last_actions = self._zero
        self._stopped = False
        # Subscriptions are raw: messages are decoded when the policy acts, not as they arrive.
        for name, codec in self._state.codecs.items():
            take = partial(self._take, name)
            node.create_subscription(message_class(codec.name), name, take, qos_profile_sensor_data, raw=True)
        # Publishers and the service to enable.
        kind = message_class(self._action.codec.name)
        self._shown = node.create_publisher(kind, "~/action", 1)
        self._commands = None if dry_run else node.create_publisher(kind, deployment.action.topic, 1)
        node.create_service(SetBool, "~/enable", self._on_enable)
        # Timers: one acts by the node's clock, one stops the robot by this machine's.
        period = 1.0 / deployment.rate if deployment.rate else task.control_period
        node.create_timer(period, self._act)
        node.create_timer(
            min(period, deployment.stale_after), self._check_topics, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self.enabled = False
        if deployment.enabled:
            self.enable()

    def enable(self) -> None:
        """Let the policy act, beginning a new episode."""
        self._memory = None
        self._last_actions = self._zero
        self._stopped = False
        self.enabled = True
        self._log().info("enabled")

    def disable(self, reason: str) -> None:
        """Command zero and stop acting."""
        self.enabled = False
        self._command(self._zero)
        self._log().info(f"disabled: {reason}")

    def close(self) -> None:
        """Command zero if the policy is enabled."""
        if self.enabled:
            self.disable("the node ends")

    @property
    def stale(self) -> list[str]:
        """Topics without a message for `stale_after`; those that are not watched, if they never had one."""
        latest = time.monotonic() - self._stale_after
        return [
            name
            for name in self._state.codecs
            if name not in self._arrivals or (name in self._watched and self._arrivals[name] < latest)
        ]

    def _take(self, name: str, payload: bytes) -> None:
        self._payloads[name] = payload
        self._arrivals[name] = time.monotonic()

    def _act(self) -> None:
        """Act for one control period."""
        if not self.enabled or self._stopped or self.stale:
            return
        # State, from the last message of each topic.
        try:
            state = self._state.state(self._payloads)
        except CodecError as error:
            self.disable(f"a message cannot be read: {error}")
            return
        # Observation; lists in messages may have another length than those of training.
        attach_last_actions(state, self._last_actions)
        observation = self._task.observation(state)
        found, expected = shape_of(observation), space_shape(self._task.observation_space)
        if found != expected:
            self.disable(f"the topics make observations of shape {found}, and the policy expects {expected}")
            return
        # Action.
        started = np.array([self._memory is None])
        action, self._memory = self._agent.predict(observation, self._memory, started, deterministic=True)
        if not all(np.isfinite(array).all() for array in (*arrays_of(observation), action)):
            self.disable("the observation or the action is not finite")
            return
        self._command(action)
        self._last_actions = action

    def _check_topics(self) -> None:
        """Command zero while a topic is stale."""
        if not self.enabled:
            return
        if stale := self.stale:
            if not self._stopped:
                self._log().warning(f"no message on {', '.join(stale)} for {self._stale_after:g} s: commanding zero")
            self._stopped = True
            # The policy begins a new episode when messages are back.
            self._memory = None
            self._last_actions = self._zero
            self._command(self._zero)
        elif self._stopped:
            self._stopped = False
            self._log().info("messages are back: the policy acts again")

    def _command(self, action: Any) -> None:
        """Publish an action on `~/action`, and on the action topic unless this is a dry run."""
        payload = self._action.message(self._task.request(action))
        self._shown.publish(payload)
        if self._commands is not None:
            self._commands.publish(payload)

    def _on_enable(self, request: Any, response: Any) -> Any:
        if request.data:
            self.enable()
        else:
            self.disable("asked to")
        response.success, response.message = True, "enabled" if request.data else "disabled"
        if request.data and (stale := self.stale):
            response.message += f"; waiting for {', '.join(stale)}"
        return response

    def _log(self) -> Any:
        return self._node.get_logger()
