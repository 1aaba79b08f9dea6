"""Checks that both sides define a type alike: the built classes, the definitions, and other nodes of the graph."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import Service
from rl_pipeline.interfaces.types import Array, FieldType, Primitive, Sequence, String, Struct
from rl_pipeline.ros.installation import BUILD
from rl_pipeline.ros.message_types import message_class, service_class

_IDL_NAMES: Final = {"float32": "float", "float64": "double", "bool": "boolean"}


def check_built(service: Service) -> None:
    """Check that the built classes of a service have the fields of its definition.

    Raises:
        InputError: they differ; the message names the first field that does.
    """
    built = service_class(service.name)
    for half, codec in (("Request", service.request), ("Response", service.response)):
        difference = _difference(codec.struct, getattr(built, half), f"{service.name}.{half.lower()}")
        if difference is not None:
            raise InputError(
                f"{difference}; the workspace was built from other definitions than those in use: run {BUILD} again"
            )


def check_server(node: Any, name: str, type_name: str) -> None:
    """Check that all nodes of a service define its type alike, as far as the middleware knows.

    Args:
        node: node with a client of the service.
        name: the service's full name.
        type_name: its two-part type.

    Raises:
        InputError: the hashes of the request's or the response's type differ.
    """
    # The middleware has a hash of the type for each end of the two topics that a service is made of.
    for half, topic in (("request", f"rq{name}Request"), ("response", f"rr{name}Reply")):
        ends = [
            *node.get_publishers_info_by_topic(topic, no_mangle=True),
            *node.get_subscriptions_info_by_topic(topic, no_mangle=True),
        ]
        hashes = {str(end.topic_type_hash): f"{end.node_namespace.rstrip('/')}/{end.node_name}" for end in ends}
        if len(hashes) > 1:
            nodes = " and ".join(f"{where} ({hash_[:16]})" for hash_, where in sorted(hashes.items()))
            raise InputError(
                f"{name}: the {half} of {type_name} is defined differently by {nodes}; "
                f"build the workspaces of both from the same definitions"
            )


def _difference(struct: Struct, built: Any, path: str) -> str | None:
    """Describe the first field in which a class differs from a definition; return None if none does."""
    found: dict[str, str] = built.get_fields_and_field_types()
    for name, type_ in struct.fields.items():
        inner, expected = f"{path}.{name}", _idl_name(type_)
        if name not in found:
            return f"{inner}: expected {expected}, found no such field in what is built"
        if found[name].replace("octet", "int8") != expected:
            return f"{inner}: expected {expected}, found {found[name]} in what is built"
        # Nested messages have definitions of their own.
        if (element := _struct_of(type_)) is not None:
            deeper = _difference(element, message_class(element.name), inner)
            if deeper is not None:
                return deeper
    extra = next((name for name in found if name not in struct.fields), None)
    return None if extra is None else f"{path}.{extra}: expected no such field, found {found[extra]} in what is built"


def _struct_of(type_: FieldType) -> Struct | None:
    element = type_.element if isinstance(type_, Array | Sequence) else type_
    return element if isinstance(element, Struct) else None


def _idl_name(type_: FieldType) -> str:
    """Return the type as rclpy's classes name it."""
    # The names of OMG IDL.
    match type_:
        case Primitive(dtype):
            name = np.dtype(dtype).name
            return _IDL_NAMES.get(name, name)
        case String(bound):
            return f"string<{bound}>" if bound else "string"
        case Struct():
            return type_.name
        case Array(element, count):
            return f"{_idl_name(element)}[{count}]"
        case Sequence(element, bound):
            return f"sequence<{_idl_name(element)}, {bound}>" if bound else f"sequence<{_idl_name(element)}>"
