"""Read a deployment file: YAML that says how a robot's topics are the state and the action of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rl_pipeline.config.schema.deployment import ActionTopic, Deployment, StateTopic
from rl_pipeline.config.wording import found
from rl_pipeline.config.yaml_files import read_yaml, shown
from rl_pipeline.errors import InputError, suggestion


def read_deployment(path: Path) -> Deployment:
    """The deployment that a file describes.

    Raises:
        InputError: the file cannot be read, or a line for each key that is unknown, missing or of a wrong value.
    """
    tree = read_yaml(path)
    try:
        return Deployment.model_validate(tree)
    except ValidationError as error:
        raise InputError("\n".join(f"{shown(path)}: {_problem(detail)}" for detail in error.errors())) from None


def _problem(detail: Any) -> str:
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
    if len(location) == 1:
        return Deployment
    return StateTopic if location[0] == "state" else ActionTopic
