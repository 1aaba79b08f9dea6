"""Lines of interface definitions by the rules of ROS 2: valid names, and values of constants and defaults.

The rules are those of `rosidl_adapter/parser.py`, which builds ROS workspaces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.types import PRIMITIVES, Constant

_FIELD: Final = re.compile(r"(?!.*__)(?!.*_$)[a-z][a-z0-9_]*")
_CONSTANT: Final = re.compile(r"[A-Z]([A-Z0-9_]?[A-Z0-9]+)*")
_MESSAGE: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_WORD: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ARRAY: Final = re.compile(r"(?P<element>.+)\[(<=)?(?P<size>[^\[\]]*)\]")
_BOUND: Final = re.compile(r"(\[(<=)?|string<=)(?P<bound>[+-]?\d+)")
_HALF: Final = re.compile(r"_(Request|Response)$")

FIELD_RULE: Final = "lower-case letters, digits and single underscores, first a letter and last no underscore"
CONSTANT_RULE: Final = "upper-case letters, digits and single underscores, first a letter and last no underscore"
MESSAGE_RULE: Final = "letters and digits, first an upper-case letter"
PACKAGE_RULE: Final = FIELD_RULE
TEXTS: Final = ("string", "wstring")
TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class DefinitionLines:
    """Fields and constants of a definition.

    Attributes:
        fields: text `type name` of each field, by line number.
        constants: value of each constant by name, of its declared type.
    """

    fields: dict[int, str]
    constants: dict[str, Constant]


def read_lines(text: str, source: str, first_line: int = 1) -> DefinitionLines:
    """Split the text of a `.msg` file, or of a half of a `.srv` file, into fields and constants.

    Raises:
        InputError: a line that ROS refuses; names the source and the line.
    """
    fields: dict[int, str] = {}
    constants: dict[str, Constant] = {}
    names: set[str] = set()
    # Comments and empty lines count for the numbers of lines only.
    for number, line in enumerate(text.splitlines(), first_line):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        try:
            type_, name, value, is_constant = _parts(content)
            # Fields and constants share their names.
            if name in names:
                raise ValueError(f"{name} is defined twice")
            names.add(name)
            if is_constant:
                constants[name] = _value(type_, value)
            else:
                _check_default(type_, value)
                fields[number] = f"{type_} {name}"
        except ValueError as error:
            raise InputError(f"{source}, line {number}: {error}") from None
    return DefinitionLines(fields, constants)


def check_type_name(name: str, source: str) -> None:
    """Raise `InputError` if ROS refuses a two-part name, which comes from the package and the file."""
    package, _, type_name = name.partition("/")
    if not _FIELD.fullmatch(package):
        raise InputError(f"{source}: the package is named {package!r}; expected {PACKAGE_RULE}")
    type_name = _HALF.sub("", type_name)
    if not _MESSAGE.fullmatch(type_name):
        raise InputError(f"{source}: the type is named {type_name!r}, as its file is; expected {MESSAGE_RULE}")


def _parts(content: str) -> tuple[str, str, str, bool]:
    """Return type, name, value (may be empty), and True for a constant."""
    # `TYPE NAME=value` is a constant, `type name value` a field with a default.
    type_, _, rest = content.replace("\t", " ").partition(" ")
    is_constant = "=" in rest
    if is_constant:
        name, _, value = rest.partition("=")
    else:
        name, _, value = rest.strip().partition(" ")
    name, value = name.strip(), value.strip()
    # Names and sizes by ROS's rules.
    if not _WORD.fullmatch(name):
        raise ValueError(f"expected `type name`, `type name default` or `type NAME=constant`, found {content!r}")
    pattern, rule, kind = (_CONSTANT, CONSTANT_RULE, "constant") if is_constant else (_FIELD, FIELD_RULE, "field")
    if not pattern.fullmatch(name):
        raise ValueError(f"the {kind} is named {name!r}; expected {rule}")
    for bound in _BOUND.finditer(type_):
        if int(bound["bound"]) <= 0:
            raise ValueError(f"{type_}: expected a size of at least 1, found {bound['bound']}")
    return type_, name, value, is_constant


def _check_default(type_: str, text: str) -> None:
    """Raise `ValueError` if a default value is not of its type; defaults are not used otherwise."""
    if not text:
        return
    # A single value, or a list of them.
    if (array := _ARRAY.fullmatch(type_)) is None:
        if type_.partition("<=")[0] not in (*PRIMITIVES, *TEXTS):
            raise ValueError(f"a field of type {type_} takes no default value, found {text!r}")
        _value(type_.partition("<=")[0], text)
        return
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(f"expected a list such as [1, 2] as the default of {type_}, found {text!r}")
    if array["element"] in PRIMITIVES and (inner := text[1:-1].strip()):
        for item in inner.split(","):
            _value(array["element"], item.strip())


def _value(type_: str, text: str) -> Constant:
    """Convert a text to a value of a primitive type. Raises `ValueError` if it is none."""
    if type_ in TEXTS:
        return _unquoted(text)
    if type_ not in PRIMITIVES:
        raise ValueError(f"expected a constant of a primitive type, found type {type_}")
    if type_ == "bool":
        if text.lower() not in TRUTHS:
            raise ValueError(f"expected true or false, found {text!r}")
        return TRUTHS[text.lower()]
    if type_.startswith("float"):
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"expected a number, found {text!r}") from None
    # In definitions, ROS treats a byte as an unsigned number.
    limits = np.iinfo(np.uint8 if type_ in ("byte", "char") else PRIMITIVES[type_])
    value = _whole(text)
    if value is None or not limits.min <= value <= limits.max:
        raise ValueError(f"expected a whole number from {limits.min} to {limits.max} for {type_}, found {text!r}")
    return value


def _whole(text: str) -> int | None:
    # Decimal first, since base 0 refuses leading zeros; then 0x, 0o and 0b.
    for base in (10, 0):
        try:
            return int(text, base)
        except ValueError:
            continue
    return None


def _unquoted(text: str) -> str:
    """Return a text without the quotes around it, if there are any."""
    for quote in ('"', "'"):
        if text.startswith(quote) and text.endswith(quote):
            inner = text[1:-1]
            if re.search(rf"(?<!\\){quote}", inner):
                raise ValueError(f"expected quotes inside a text to be escaped as \\{quote}, found {text!r}")
            return inner.replace(f"\\{quote}", quote)
    return text
