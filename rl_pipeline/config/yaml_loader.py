"""YAML as people write it: numbers are decimal, and each is kept as it was written, for keys that take a text.

PyYAML reads YAML 1.1, where `010` is 8, `0x10` is 16 and `1:30` is 90, and `7e-5` is a text. Here, as in YAML 1.2,
`010` is 10, `1:30` is a text and `7e-5` is a number. `0x10` is a text too, which every key that takes a number refuses.
Needs nothing but PyYAML, since the launcher of players reads `config.yml` on machines without anything else.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import yaml

_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_INT: Final = re.compile(rf"[-+]?{_DIGITS}$")
_FLOAT: Final = re.compile(
    rf"""[-+]?(?:
        {_DIGITS}\.(?:{_DIGITS})?(?:[eE][-+]?[0-9]+)?
      | {_DIGITS}[eE][-+]?[0-9]+
      | \.{_DIGITS}(?:[eE][-+]?[0-9]+)?
      | \.(?:inf|Inf|INF)
    )$ | \.(?:nan|NaN|NAN)$""",
    re.VERBOSE,
)
_REPLACED: Final = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "timestamp"))
_WORDS: Final = {"inf": float("inf"), "nan": float("nan")}


@dataclass(frozen=True)
class WrittenNumber:
    """A number that is not quoted, and its text.

    Attributes:
        value: the number.
        text: such as `2024_01`, which is 202401 for a key that takes a number.
    """

    value: int | float
    text: str

    def __repr__(self) -> str:
        return self.text


def load_yaml(text: str, repeated: list[tuple[int, str]] | None = None) -> Any:
    """Read a YAML document, with `WrittenNumber` for each number outside of quotes.

    Args:
        text: the document.
        repeated: takes line and name of each key that its mapping has already, of which the last counts as in PyYAML;
            None: such a key is an error.

    Raises:
        yaml.YAMLError: it is not YAML, or a mapping has a key twice.
    """
    loader = _Loader(text)  # a SafeLoader
    loader.repeated = repeated
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def as_numbers(value: Any) -> Any:
    """Copy nested lists and mappings with the values of the numbers."""
    return _unwrapped(value, "value")


def as_texts(value: Any) -> Any:
    """Copy nested lists and mappings with the texts of the numbers; keys stay values."""
    return _unwrapped(value, "text")


def _unwrapped(value: Any, attribute: str) -> Any:
    if isinstance(value, dict):
        return {key: _unwrapped(item, attribute) for key, item in value.items()}
    if isinstance(value, list):
        return [_unwrapped(item, attribute) for item in value]
    return getattr(value, attribute) if isinstance(value, WrittenNumber) else value


class _Loader(yaml.SafeLoader):
    repeated: list[tuple[int, str]] | None = None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG and key.value in seen:
                if self.repeated is not None:
                    self.repeated.append((key.start_mark.line + 1, key.value))
                    continue
                raise yaml.constructor.ConstructorError(
                    "while constructing a mapping", node.start_mark, f"found duplicate key {key.value}", key.start_mark
                )
            seen.add(key.value if isinstance(key.value, str) else "")
        tree = super().construct_mapping(node, deep=deep)
        return {key.value if isinstance(key, WrittenNumber) else key: value for key, value in tree.items()}


def _number(loader: _Loader, node: yaml.ScalarNode) -> WrittenNumber:
    text = node.value
    digits = text.replace("_", "")
    word = digits.lstrip("+-").lstrip(".").lower()
    if _INT.match(text):
        return WrittenNumber(int(digits), text)
    if word in _WORDS:
        return WrittenNumber(-_WORDS[word] if digits.startswith("-") else _WORDS[word], text)
    return WrittenNumber(float(digits), text)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
