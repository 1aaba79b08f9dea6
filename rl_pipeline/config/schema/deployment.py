"""How a robot's topics are the state and the action of a task."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rl_pipeline.config.schema.section import Section


class StateTopic(Section):
    """A topic that parts of the state come from."""

    type: str = Field(min_length=1, description="message type, such as nav_msgs/Odometry")
    fields: dict[str, str] = Field(
        default={}, description="field of the message by field of the state; empty: the message is the state"
    )
    watched: bool = Field(
        default=True, description="whether its silence stops the robot; false: it is sent once, as a goal is"
    )


class ActionTopic(Section):
    """The topic that actions go to."""

    topic: str = Field(min_length=1, description="name of the topic")
    type: str = Field(min_length=1, description="message type, such as geometry_msgs/Twist")
    fields: dict[str, str] = Field(min_length=1, description="field of the task's request by field of the message")


class Deployment(Section):
    """What `rl-pipeline deploy` reads: a robot as a task sees it."""

    rate: float | None = Field(
        default=None, gt=0.0, le=1000.0, description="actions per second; null: one in each control period of the task"
    )
    stale_after: float = Field(
        default=0.5, gt=0.0, description="seconds without a message of a topic after which the action is zero"
    )
    enabled: bool = Field(default=False, description="whether the policy acts before the enable service is called")
    state: dict[str, StateTopic] = Field(min_length=1, description="where the state comes from, by topic")
    constants: dict[str, Any] = Field(default={}, description="what no topic tells, by field of the state")
    action: ActionTopic = Field(description="where actions go")
