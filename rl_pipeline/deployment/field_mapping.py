"""Mappings between the messages of a robot's topics and the state and action of a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rl_pipeline.deployment.config import ActionTopic, Deployment
from rl_pipeline.envs.task import Fields
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Batch, MessageCodec, Service, load_interfaces
from rl_pipeline.interfaces.types import Array, FieldType, Primitive, Sequence, String, Struct, unknown_field


class StateMapping:
    """Mapping from the last message of each topic to the state of a task.

    Args:
        deployment: topics, fields and constants.
        service: the task's step service; its response has the state.

    Raises:
        InputError: a field does not exist, is of another kind, or is mapped to no topic; or a type is unknown.
    """

    def __init__(self, deployment: Deployment, service: Service) -> None:
        self.codecs = {name: load_interfaces().message(topic.type) for name, topic in deployment.state.items()}
        self._service = service
        self._fields = {name: topic.fields for name, topic in deployment.state.items()}
        self._constants = dict(deployment.constants)
        # Every field of the state must come from a topic or a constant.
        state = service.response.struct.fields["state"]
        assert isinstance(state, Struct)
        given = set(self._constants)
        for name, codec in self.codecs.items():
            given |= _check_topic(name, self._fields[name], codec.struct, state)
        missing = [path for path in _leaves(state) if not any(f"{path}.".startswith(f"{known}.") for known in given)]
        if missing:
            raise InputError(
                f"state: nothing gives {', '.join(missing[:4])}{' and more' if len(missing) > 4 else ''} of "
                f"{state.name}; map them to a topic, or set them under constants"
            )

    def state(self, payloads: Mapping[str, bytes]) -> Batch:
        """Return the state, a batch of one, for the last message of each topic.

        Raises:
            CodecError: a message is not of its topic's type, or a constant cannot be held by its field.
        """
        # Collect values by dotted field of the state; a topic without mapped fields carries the state itself.
        values: dict[str, Any] = dict(self._constants)
        for name, codec in self.codecs.items():
            message = codec.decode(payloads[name])
            if not self._fields[name]:
                values |= message
            for target, source in self._fields[name].items():
                values[target] = _value_at(message, source)
        # Encoding and decoding converts them to the arrays that tasks expect.
        state: Batch = self._service.response.decode_batch([self._service.response.encode({"state": values})]).state
        return state


class ActionMapping:
    """Mapping from a task's request for a player to the message of a robot's action topic.

    Args:
        topic: the topic and its fields.
        service: the task's step service; its request has the action.

    Raises:
        InputError: a field does not exist or is of another kind, or a type is unknown.
    """

    def __init__(self, topic: ActionTopic, service: Service) -> None:
        self.codec: MessageCodec = load_interfaces().message(topic.type)
        self._fields = topic.fields
        for target, source in topic.fields.items():
            where = f"action.fields.{target}"
            expected = _resolve(self.codec.struct, target, where)
            _check_kind(where, expected, _resolve(service.request.struct, source, where), target, source)

    def message(self, request: Fields) -> bytes:
        """Return the payload for the fields of a request for one environment.

        Raises:
            InputError: the task's request does not have a field that is mapped.
        """
        try:
            values = {target: request[source][0] for target, source in self._fields.items()}
        except KeyError as error:
            raise InputError(f"action.fields: the task sets no {error}; it sets {', '.join(request)}") from None
        return self.codec.encode(values)


def _check_topic(name: str, fields: Mapping[str, str], message: Struct, state: Struct) -> set[str]:
    """Check the mapped fields of one topic; returns the fields of the state that it gives."""
    if not fields:
        if message.name != state.name:
            raise InputError(f"state.{name}: expected fields, or messages of type {state.name}, found {message.name}")
        return set(state.fields)
    for target, source in fields.items():
        where = f"state.{name}.fields.{target}"
        expected = _resolve(state, target, where)
        _check_kind(where, expected, _resolve(message, source, where), target, source)
    return set(fields)


def _resolve(struct: Struct, path: str, where: str) -> FieldType:
    """Return the type of the field at a dotted path. Raises `InputError` at `where` when there is none."""
    type_: FieldType = struct
    for name in path.split("."):
        if not isinstance(type_, Struct) or name not in type_.fields:
            raise InputError(f"{where}: {unknown_field(struct, path)}")
        type_ = type_.fields[name]
    return type_


def _check_kind(where: str, expected: FieldType, found: FieldType, target: str, source: str) -> None:
    if _kind(expected) != _kind(found):
        raise InputError(f"{where}: {target} is {_kind(expected)}, and {source} is {_kind(found)}")


def _kind(type_: FieldType) -> str:
    """Return the kind of a field for messages; fields can be mapped to those of the same kind."""
    match type_:
        case Primitive():
            return "a number"
        case String():
            return "text"
        case Struct():
            return f"a {type_.name}"
        case Array(element, _) | Sequence(element, _):
            return f"a list of {_kind(element)}"


def _leaves(struct: Struct, prefix: str = "") -> Iterator[str]:
    """Yield dotted paths of all fields that are not messages themselves."""
    for name, type_ in struct.fields.items():
        if isinstance(type_, Struct):
            yield from _leaves(type_, f"{prefix}{name}.")
        else:
            yield prefix + name


def _value_at(message: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path."""
    value: Any = message
    for name in path.split("."):
        value = value[name]
    return value
