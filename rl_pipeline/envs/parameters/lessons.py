"""Lessons of a parameter, and the criteria of their completion; names and keys are those of ML-Agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rl_pipeline.envs.parameters.samplers import Sampler, check_keys, number, read_sampler, setting
from rl_pipeline.errors import InputError, UnknownNameError

MEASURES: Final = ("progress", "reward", "success_rate")
"""Measures: the share of the training that is over, and means over the last episodes."""


@dataclass(frozen=True)
class CompletionCriteria:
    """Criteria by which a lesson has been learned.

    Attributes:
        measure: one of MEASURES.
        threshold: the measure must exceed it.
        min_lesson_length: episodes that the lesson takes at least; the means are over so many.
        signal_smoothing: True if a quarter of the last value of the measure is kept in the next.
    """

    measure: str
    threshold: float
    min_lesson_length: int = 100
    signal_smoothing: bool = True


@dataclass(frozen=True)
class Lesson:
    """A stage of a curriculum: a sampler of the parameter, used until the criteria are met; None: to the end."""

    name: str
    value: Sampler
    completion_criteria: CompletionCriteria | None = None


def read_lessons(given: Any, where: str) -> tuple[Lesson, ...]:
    """Read the lessons of a number, a sampler or `{curriculum: [...]}`; of the first two, a single one.

    Raises:
        InputError: it is none of these; the message begins with `where`.
    """
    if not isinstance(given, Mapping) or "curriculum" not in given:
        return (Lesson("", read_sampler(given, where)),)
    check_keys(given, ("curriculum",), where)
    where, lessons = f"{where}.curriculum", given["curriculum"]
    if not isinstance(lessons, list) or not lessons or not all(isinstance(one, Mapping) for one in lessons):
        raise InputError(f"{where}: expected a list of lessons, each with name, completion_criteria and value")
    last = len(lessons) - 1
    return tuple(_lesson(one, f"{where}[{index}]", index, index == last) for index, one in enumerate(lessons))


def _lesson(given: Mapping[str, Any], where: str, index: int, last: bool) -> Lesson:
    check_keys(given, ("name", "completion_criteria", "value"), where)
    value = read_sampler(setting(given, "value", where), f"{where}.value")
    name = str(given.get("name", f"Lesson{index}"))
    criteria = given.get("completion_criteria")
    if criteria is None and not last:
        raise InputError(f"{where}: expected completion_criteria, since other lessons follow")
    return Lesson(name, value, None if last else _criteria(criteria, f"{where}.completion_criteria"))


def _criteria(given: Any, where: str) -> CompletionCriteria:
    if not isinstance(given, Mapping):
        raise InputError(f"{where}: expected measure and threshold, found {given!r}")
    # ML-Agents asks for a `behavior`; here there is one.
    check_keys(given, (*CompletionCriteria.__dataclass_fields__, "behavior"), where)
    measure = setting(given, "measure", where)
    if measure not in MEASURES:
        raise UnknownNameError("measure", str(measure), MEASURES, f"{where}.measure")
    length = number(given.get("min_lesson_length", CompletionCriteria.min_lesson_length), f"{where}.min_lesson_length")
    if length < 1 or length != int(length):
        raise InputError(f"{where}.min_lesson_length: expected a whole number of at least 1, found {length:g}")
    smoothing = given.get("signal_smoothing", CompletionCriteria.signal_smoothing)
    if not isinstance(smoothing, bool):
        raise InputError(f"{where}.signal_smoothing: expected true or false, found {smoothing!r}")
    threshold = number(setting(given, "threshold", where), f"{where}.threshold")
    return CompletionCriteria(measure, threshold, int(length), smoothing)
