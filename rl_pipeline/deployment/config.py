"""Deployment file: the topics of a robot that carry the state and the action of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from rl_pipeline.config.composition import read_yaml, shown
from rl_pipeline.config.expectations import found
from rl_pipeline.config.section import Section
from rl_pipeline.errors import InputError, suggestion


class StateTopic(Section):
    """Topic with fields of the state."""

    type: str = Field(min_length=1, description="message type, such as nav_msgs/Odometry")
    fields: dict[str, str] = Field(
        default={}, description="field of the message by field of the state; empty: the message is the state"
    )
    watched: bool = Field(
        default=True, description="whether its silence stops the robot; false: it is sent once, like a goal"
    )


class ActionTopic(Section):
    """Topic of the actions."""

    topic: str = Field(min_length=1, description="name of the topic")
    type: str = Field(min_length=1, description="message type, such as geometry_msgs/Twist")
    fields: dict[str, str] = Field(min_length=1, description="field of the task's request by field of the message")


class Deployment(Section):
    """Deployment of a policy on a robot, read by `rl-pipeline deploy`."""

    rate: float | None = Field(
        default=None, gt=0.0, le=1000.0, description="actions per second; null: one in each control period of the task"
    )
    stale_after: float = Field(
        default=0.5, gt=0.0, description="seconds without a message of a topic after which the action is zero"
    )
    enabled: bool = Field(default=False, description="whether the policy acts before the enable service is called")
    state: dict[str, StateTopic] = Field(min_length=1, description="fields of the state, by topic")
    constants: dict[str, Any] = Field(default={}, description="values that no topic gives, by field of the state")
    action: ActionTopic = Field(description="topic of the actions")


def read_deployment(path: Path) -> Deployment:
    """Read and check a deployment file.

    Raises:
        InputError: the file cannot be read, or a key is unknown, missing or of a wrong value; the message has a line
            for each.
    """
    tree = read_yaml(path)
    try:
        return Deployment.model_validate(tree)
    except ValidationError as error:
        raise InputError("\n".join(f"{shown(path)}: {_problem(detail)}" for detail in error.errors())) from None


def _problem(detail: Any) -> str:
    """Return the message for one of Pydantic's errors: the key, the expected value, and the value found."""
    location = tuple(map(str, detail["loc"]))
    key = ".".join(location)
    if detail["type"] == "extra_forbidden":
        return f"{key}: unknown key{suggestion(location[-1], _section_of(location).model_fields)}"
    if detail["type"] == "missing":
        return f"{key}: expected {_section_of(location).model_fields[location[-1]].description}, found nothing"
    expected = detail["msg"].removeprefix("Input should be ")
    number = "a number " if expected.startswith(("greater", "less")) else ""
    return f"{key}: expected {number}{expected}, found {found(detail['input'])}"


def _section_of(location: tuple[str, ...]) -> type[BaseModel]:
    """Return the section that has the key at `location`."""
    if len(location) == 1:
        return Deployment
    return StateTopic if location[0] == "state" else ActionTopic
