"""Parser of definitions, from text to field types; the grammar of types is that of rosbags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rl_pipeline.errors import InputError, suggestion
from rl_pipeline.interfaces.definition_lines import check_type_name, read_lines
from rl_pipeline.interfaces.types import PRIMITIVES, Array, Constant, FieldType, Primitive, Sequence, String, Struct

_DUMMY_FIELD = "structure_needs_at_least_one_member"


class Definition:
    """One parsed message definition, whose fields may refer to other messages.

    Attributes:
        name: two-part name of the message.
        source: file or package that it was read from, for error messages.
    """

    def __init__(self, name: str, source: str, fields: Iterable[tuple[str, Any]], constants: Mapping[str, Constant]):
        """Wrap fields, with their types as rosbags has them, and values of constants."""
        self.name = name
        self.source = source
        self._fields = [(field, type_) for field, type_ in fields if field != _DUMMY_FIELD]
        self._constants = dict(constants)

    @property
    def is_empty(self) -> bool:
        """True if it has no field."""
        return not self._fields

    def struct(self, resolve: Callable[[str, str], Struct]) -> Struct:
        """Return the message type; `resolve(name, where)` returns the type of a message that a field refers to.

        Raises:
            InputError: a field of a type that has no encoding here, such as `wstring`.
        """
        fields = {name: self._field_type(type_, name, resolve) for name, type_ in self._fields}
        return Struct(self.name, fields, self._constants)

    def _field_type(self, type_: Any, field: str, resolve: Callable[[str, str], Struct]) -> FieldType:
        from rosbags.interfaces import Nodetype

        # rosbags nests the type of elements in that of arrays and sequences.
        kind, content = type_
        if kind == Nodetype.ARRAY:
            return Array(self._element(content[0], field, resolve), content[1])
        if kind == Nodetype.SEQUENCE:
            return Sequence(self._element(content[0], field, resolve), content[1])
        return self._element(type_, field, resolve)

    def _element(self, type_: Any, field: str, resolve: Callable[[str, str], Struct]) -> Primitive | String | Struct:
        from rosbags.interfaces import Nodetype

        # A name refers to a message, except wstring, which rosbags has no type for.
        kind, content = type_
        if kind == Nodetype.NAME and not content.endswith("/wstring"):
            return resolve(two_part(content), f"{self.source}: field {field}")
        name, bound = content if kind == Nodetype.BASE else ("wstring", 0)
        if name == "string":
            return String(bound)
        if name in PRIMITIVES:
            return Primitive(PRIMITIVES[name])
        raise InputError(
            f"{self.source}: field {field}: type {name} is not supported{suggestion(name, ['string', *PRIMITIVES])}"
        )


def standard_definitions() -> dict[str, Definition]:
    """Return the messages of ROS 2 Jazzy's standard packages by two-part name."""
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    return {
        two_part(name): Definition(two_part(name), name, fields, {constant: value for constant, _, value in constants})
        for name, (constants, fields) in store.fielddefs.items()
    }


def parse_message(text: str, name: str, source: str, first_line: int = 1) -> Definition:
    """Parse the text of a `.msg` file, or of a half of a `.srv` file that begins at `first_line`.

    Raises:
        InputError: the text is no definition, or one that ROS refuses; names the source and the line.
    """
    check_type_name(name, source)
    lines = read_lines(text, source, first_line)
    # All fields at once; only after an error line by line, for its number.
    fields = _parse("\n".join(lines.fields.values()), name)
    if fields is None:
        for number, line in lines.fields.items():
            if _parse(line, name) is None:
                raise InputError(f"{source}, line {number}: expected a type and a name, found {line!r}")
        raise InputError(f"{source}: no definition of a message {name!r}")
    return Definition(name, source, fields, lines.constants)


def split_service(text: str, source: str) -> tuple[str, str, int]:
    """Split the text of a `.srv` file into request, response, and the line at which the response begins.

    Raises:
        InputError: not exactly one line `---`.
    """
    lines = text.splitlines()
    marks = [number for number, line in enumerate(lines) if line.strip() == "---"]
    if len(marks) != 1:
        raise InputError(f"{source}: expected one line `---` between request and response, found {len(marks)}")
    mark = marks[0]
    return "\n".join(lines[:mark]), "\n".join(lines[mark + 1 :]), mark + 2


def two_part(name: str) -> str:
    """Shorten `package/msg/Type` or `package/srv/Type` to `package/Type`; return any other name unchanged."""
    parts = name.split("/")
    return f"{parts[0]}/{parts[2]}" if len(parts) == 3 and parts[1] in ("msg", "srv") else name


def _parse(text: str, name: str) -> Any | None:
    """Return fields in the form of rosbags; None if the text is no definition."""
    from rosbags.typesys import TypesysError, get_types_from_msg

    package, _, type_name = name.partition("/")
    try:
        # References without a package are resolved next to this name, and rosbags wants messages to live in `msg`.
        ((_, fields),) = get_types_from_msg(text, f"{package}/msg/{type_name}").values()
    except (TypesysError, AssertionError, ValueError):
        return None
    return fields
