"""Registration of verbs: the table behind `rl-pipeline --help`, open to packages and modules of users.

A verb is a function with Typer's annotations in a module of its own, imported when the verb is run or completed.
docs/add_a_verb.md has a complete example.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import typer

from rl_pipeline.errors import InputError
from rl_pipeline.plugins import import_user_module
from rl_pipeline.registry import Registry, import_target
from rl_pipeline.tracebacks import describe_failure

Function = TypeVar("Function", bound=Callable[..., None])

ENTRY_POINTS: Final = "rl_pipeline.verbs"
"""Group of the entry points with which installed packages add verbs."""
USER_PANEL: Final = "Added verbs"
MACHINE_FILE: Final = Path("config.yml")
COMMAND_OPTIONS: Final = "rl_pipeline_command_options"
"""Attribute of a verb's function that `command_options` sets."""


@dataclass(frozen=True)
class Verb:
    """A verb of `rl-pipeline`.

    Attributes:
        name: the word after `rl-pipeline`.
        target: `module:function` of a command function, or `module:app` of a `typer.Typer` with verbs below this one.
        help: its line in `rl-pipeline --help`, which imports no target.
        panel: heading under which `--help` lists it.
    """

    name: str
    target: str
    help: str
    panel: str

    def listed(self) -> Any:
        """Return a command with the name and the help alone, for lists of verbs."""
        return typer.core.TyperCommand(self.name, help=self.help, rich_help_panel=self.panel)

    def command(self) -> Any:
        """Import the target and return its command.

        Raises:
            InputError: the target cannot be imported, or is no function and no `typer.Typer`.
        """
        target = self._import()
        # Typer makes a group of an application with a callback, even if it has one command only.
        group = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
        group.callback()(lambda: None)
        if isinstance(target, typer.Typer):
            group.add_typer(target, name=self.name)
        elif callable(target):
            options = {"help": None if target.__doc__ else self.help, **getattr(target, COMMAND_OPTIONS, {})}
            group.command(self.name, **options)(target)
        else:
            found = type(target).__name__
            raise InputError(
                f"verb {self.name!r}: expected a function or a typer.Typer in {self.target}, found {found}"
            )
        commands: dict[str, Any] = vars(typer.main.get_command(group))["commands"]
        return commands[self.name]

    def _import(self) -> Any:
        where = f"verb {self.name!r}"
        try:
            return import_target(self.target, where)
        except InputError:
            raise
        except Exception as error:  # any failure of a user's module while it is imported
            raise InputError(f"{where}: cannot import {self.target} ({describe_failure(error)})") from error


VERBS: Final[Registry[Verb]] = Registry("verb")
"""All verbs, in the order of `--help`."""


def register_verb(name: str, target: str, *, help: str = "", panel: str = USER_PANEL) -> None:
    """Add a verb to `rl-pipeline`.

    Call it in a module that `modules` of config.yml names; installed packages name the target as an entry point of the
    group `rl_pipeline.verbs` instead.

    Args:
        name: the word after `rl-pipeline`.
        target: `module:function`, or `module:app` for a `typer.Typer`; imported when the verb is run.
        help: one line for `rl-pipeline --help`.
        panel: heading under which `--help` lists it.

    Raises:
        InputError: another verb has the name.
    """
    VERBS.register(name, Verb(name, target, help, panel))


def command_options(**options: Any) -> Callable[[Function], Function]:
    """Give the function of a verb arguments of `typer.Typer.command`, such as `epilog` or `context_settings`."""

    def set_options(function: Function) -> Function:
        setattr(function, COMMAND_OPTIONS, options)
        return function

    return set_options


def register_added_verbs() -> None:
    """Register the verbs of installed packages and of the modules that config.yml names.

    Write one line on standard error for each package or module that fails, and go on without it.
    """
    # Packages first, in an order that does not depend on that of their installation.
    for entry_point in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS)):
        package = entry_point.dist.name if entry_point.dist is not None else entry_point.module
        with _warning_on_failure():
            try:
                register_verb(entry_point.name, entry_point.value, help=f"Verb of the package {package}.")
            except InputError as error:
                raise InputError(f"package {package}: {error}") from error
    # An unreadable config.yml is one failure, and each of its modules may be another.
    with _warning_on_failure():
        for module in _configured_modules():
            with _warning_on_failure():
                import_user_module(module, f"{MACHINE_FILE}: modules")


@contextmanager
def _warning_on_failure() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        # Not logged: `--help` ends before the log has a handler.
        sys.stderr.write(f"warning: {error}; its verbs are left out\n")


def _configured_modules() -> list[str]:
    """Return `modules` of config.yml in the working directory; a file without the key costs no YAML parser.

    Raises:
        InputError: the file cannot be read, or the value is no list of names.
    """
    # Not with load_config, which would import NumPy for --help and check everything else.
    try:
        text = MACHINE_FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{MACHINE_FILE}: cannot be read ({describe_failure(error)})") from error
    if not re.search(r"^[\"']?modules\b", text, re.MULTILINE):
        return []

    # Other keys are checked by the verbs that use them.
    import yaml

    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{MACHINE_FILE}: not valid YAML ({' '.join(str(error).split())})") from error
    modules = (settings.get("modules") if isinstance(settings, dict) else None) or []
    if not isinstance(modules, list) or not all(isinstance(name, str) for name in modules):
        raise InputError(f"{MACHINE_FILE}: modules: expected a list of modules or .py files, found {modules!r}")
    return [os.path.expanduser(name) for name in modules]
