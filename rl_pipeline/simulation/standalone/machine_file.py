"""The part of config.yml that the launcher of players needs, read with Python and PyYAML alone.

The schema of the configuration (config/machine.py) has the same keys and defaults, but needs pydantic.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from rl_pipeline.config.yaml_loader import WrittenNumber, as_numbers, as_texts, load_yaml
from rl_pipeline.errors import InputError

EXPECTATIONS: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list"}


@dataclass(frozen=True)
class Endpoint:
    """Endpoint that players connect to: keys of the `ros` section."""

    tcp_ip: str = "127.0.0.1"
    tcp_port: int = 10000
    one_port_per_environment: bool = False
    token: str | None = None

    @property
    def reachable(self) -> str:
        """Address to connect to: loopback if the endpoint listens on all addresses of its machine."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.tcp_ip, self.tcp_ip)

    def port_of(self, environment_id: int) -> int:
        """Return the port that a player connects to."""
        return self.tcp_port + environment_id if self.one_port_per_environment else self.tcp_port


@dataclass(frozen=True)
class Build:
    """Program and settings of players: keys of the `unity` section."""

    build_path: str = "embedded"
    arguments: tuple[str, ...] = ()
    launch: bool = True
    headless_mode: bool = True
    pause: bool = True
    sample_time: float = 0.0
    time_scale: float = 0.0


@dataclass(frozen=True)
class MachineFile:
    """Settings of config.yml for players."""

    n_environments: int = 4
    worlds_per_player: int = 1
    workspace: tuple[str, ...] = ()
    ros: Endpoint = dataclasses.field(default_factory=Endpoint)
    unity: Build = dataclasses.field(default_factory=Build)

    @property
    def players(self) -> int:
        """Number of players."""
        return self.n_environments // self.worlds_per_player


def read_machine_file(path: Path, overrides: Sequence[str] = ()) -> MachineFile:
    """Read config.yml and apply overrides such as `n_environments=8` or `unity.build_path=build/Arena.exe`.

    Keys without meaning for players are ignored; the trainer checks them.

    Raises:
        InputError: the file cannot be read, or a value has a wrong type or range.
    """
    # Keys may be nested in `simulation` or not, as in the trainer; overrides have the last word.
    settings = _read(path)
    nested = settings.get("simulation")
    settings = {**(nested if isinstance(nested, dict) else {}), **settings}
    for override in overrides:
        _apply_override(settings, override)
    if isinstance(settings.get("workspace"), str):
        settings["workspace"] = [settings["workspace"]]
    # Sections, then the keys around them.
    sections = {"ros": Endpoint, "unity": Build}
    values: dict[str, Any] = {
        name: _section(kind, settings.get(name), f"{path}: {name}.") for name, kind in sections.items()
    }
    found: MachineFile = dataclasses.replace(_section(MachineFile, settings, f"{path}: "), **values)
    _check(found, path)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        settings = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); start in the project's folder") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(settings, dict):
        raise InputError(f"{path}: expected keys and values, found {type(as_numbers(settings)).__name__}")
    return settings


def _apply_override(settings: dict[str, Any], override: str) -> None:
    # `simulation.` in front of a key is optional, as on the trainer's command line.
    key, equals, value = override.partition("=")
    if not equals:
        raise InputError(f"{override!r}: expected KEY=VALUE, such as n_environments=8")
    *sections, name = key.lstrip("+").split(".")
    for section in sections[sections[:1] == ["simulation"] :]:
        inner = settings.get(section)
        settings[section] = settings = dict(inner) if isinstance(inner, dict) else {}
    settings[name] = load_yaml(value)


def _section(kind: type[Any], settings: Any, where: str) -> Any:
    """Make an instance of a dataclass from a mapping; missing keys and nested sections keep their defaults."""
    settings = {} if settings is None else settings
    if not isinstance(settings, Mapping):
        raise InputError(f"{where.rstrip('.')}: expected keys and values, found {settings!r}")
    default = kind()
    values = {}
    for field in dataclasses.fields(kind):
        before = getattr(default, field.name)
        if field.name in settings and not dataclasses.is_dataclass(before):
            values[field.name] = _value(settings[field.name], before, f"{where}{field.name}")
    return kind(**values)


def _value(value: Any, default: bool | int | float | str | tuple[str, ...] | None, where: str) -> Any:
    """Return `value` in the type of the default; numbers may be quoted, as everywhere in the configuration."""
    kind = str if default is None else type(default)
    if kind is tuple:
        return _texts(value, where)
    # A quoted number is a number, and a number is a text where a text is expected.
    plain = load_yaml(value) if isinstance(value, str) and kind is not str else value
    if isinstance(plain, WrittenNumber):
        plain = plain.text if kind is str else plain.value
    if value is None and default is None:
        return None
    # A whole number is a number; true and false are not.
    if kind is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    if not isinstance(plain, kind) or (kind is int and isinstance(plain, bool)):
        raise InputError(f"{where}: expected {EXPECTATIONS[kind]}, found {value!r}")
    return plain


def _texts(value: Any, where: str) -> tuple[str, ...]:
    """Return a list of texts and numbers as texts."""
    items = [] if value is None else as_texts(value)
    if not isinstance(items, list) or any(
        isinstance(one, bool) or not isinstance(one, (str, int, float)) for one in items
    ):
        raise InputError(f"{where}: expected a list of texts, found {value!r}")
    return tuple(str(item) for item in items)


def _check(found: MachineFile, path: Path) -> None:
    # The same checks as in the schema.
    if found.worlds_per_player < 1 or found.n_environments < 1 or found.n_environments % found.worlds_per_player:
        raise InputError(
            f"{path}: n_environments: expected a multiple of worlds_per_player ({found.worlds_per_player}) above 0, "
            f"found {found.n_environments}"
        )
    if not 0 < found.ros.tcp_port <= 65535:
        raise InputError(
            f"{path}: ros.tcp_port: expected the port that the trainer listens on (1 to 65535), "
            f"found {found.ros.tcp_port}"
        )
