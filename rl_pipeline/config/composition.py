"""Composition of the files of an experiment: Hydra's defaults lists and group choices over several folders."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rl_pipeline.config.layers import Layer
from rl_pipeline.config.yaml_loader import as_numbers, as_texts, load_yaml
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.paths import expanded

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from hydra.core.default_element import ResultDefault


logger = logging.getLogger(__name__)


def shown(path: Path) -> str:
    """Return the path as messages show it: relative to the working directory if it lies inside."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)


def read_yaml(path: Path, *, last_counts: bool = False) -> dict[Any, Any]:
    """Read the mapping in a YAML file, `${...}` unresolved; an empty file is an empty mapping.

    Args:
        path: the file.
        last_counts: of a key that is given twice take the last, as PyYAML does, and log a warning; otherwise it is an
            error.

    Raises:
        InputError: if the file cannot be read, is not YAML or does not hold a mapping; UnknownNameError if there is
            no such file.
    """
    tree: dict[Any, Any] = as_numbers(read_settings(path, last_counts=last_counts))
    return tree


def read_settings(path: Path, *, last_counts: bool = False) -> dict[Any, Any]:
    """Read a YAML file like `read_yaml`, with a `WrittenNumber` for each number: some keys take its text."""
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not path.exists():
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}")
        others = [str(path.parent / other.name) for other in sorted(path.parent.glob("*.y*ml"))]
        raise UnknownNameError("file", str(path), others)
    try:
        repeated: list[tuple[int, str]] | None = [] if last_counts else None
        loaded = load_yaml(path.read_text(encoding="utf-8"), repeated)
        if isinstance(loaded, dict):
            OmegaConf.create(as_numbers(loaded))  # raises for what is no `${...}`
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax_error(path, error)) from error
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        raise InputError(f"{shown(path)}: {key}cannot be read: {str(error).splitlines()[0]}") from error
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise InputError(f"{shown(path)}: cannot be read: {reason}") from error
    for line, key in repeated or ():
        logger.warning("%s: line %d: %s is given again; the last counts", shown(path), line, key)
    if loaded is not None and not isinstance(loaded, dict):
        found = "a list" if isinstance(loaded, list) else "a single value"
        raise InputError(f"{shown(path)}: expected a mapping of sections, found {found}")
    return loaded or {}


def _syntax_error(path: Path, error: Any) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return f"{shown(path)}: not valid YAML: {error.problem}"
    lines = path.read_text(encoding="utf-8").splitlines()
    line = lines[mark.line].strip() if mark.line < len(lines) else ""
    return (
        f"{shown(path)}: line {mark.line + 1}, column {mark.column + 1}: not valid YAML: "
        f"{error.problem or error.context}: {line!r}"
    )


_SUFFIXES = (".yaml", ".yml")
_SUFFIX = re.compile(r"\.ya?ml$")
_PRIMARY = "__experiment__"


class ConfigFolders:
    """Folders of experiment files and groups; of two files with the same name, the one in the first folder counts."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = list(dict.fromkeys(folder.absolute() for folder in folders))

    def experiment(self, name: str, where: str = "", beside: Path | None = None) -> Path:
        """Find the experiment file of that name, with or without suffix.

        Args:
            name: name of a file in one of the folders, or a path if `beside` is given.
            where: file and key that name it, for the error.
            beside: folder that a relative path starts from.

        Raises:
            UnknownNameError: there is none.
        """
        name = _SUFFIX.sub("", name)
        # A name in a folder comes before a path.
        path = self.find(name)
        if path is None and beside is not None:
            base = beside / expanded(name)
            path = next(
                (file for suffix in _SUFFIXES if (file := base.parent / f"{base.name}{suffix}").is_file()), None
            )
        if path is None:
            raise UnknownNameError("experiment file", name, self.options(""), where or self.shown())
        return path

    def find(self, name: str) -> Path | None:
        """Find the file of a name without suffix, such as `algorithm/ppo`."""
        paths = (folder / f"{name}.yaml" for folder in self.folders)
        return next((path for path in paths if path.is_file()), None)

    def options(self, group: str) -> list[str]:
        """List the choices of a group, or the experiment files for the empty name."""
        return sorted({path.stem for folder in self.folders for path in (folder / group).glob("*.yaml")})

    def groups(self) -> list[str]:
        """List the groups that have a choice."""
        return sorted({path.parent.name for folder in self.folders for path in folder.glob("*/*.yaml")})

    def check_choice(self, group: str, choice: str | None) -> bool:
        """Return True if `group` is a group.

        Raises:
            UnknownNameError: it is one, but does not have the choice.
        """
        options = self.options(group)
        if options and choice is not None and choice not in options:
            raise UnknownNameError(group, choice, options, "command line")
        return bool(options)

    def shown(self) -> str:
        """Return the folders as messages show them."""
        return ", ".join(shown(folder) for folder in self.folders)


def composed_layers(experiment: Path, folders: ConfigFolders, choices: Sequence[str]) -> list[Layer]:
    """Read the files that `experiment` and the group choices name as layers, weakest first.

    Raises:
        InputError: a file cannot be read, or a defaults list or a choice names a file that does not exist.
    """
    tree = read_settings(experiment)
    defaults = as_texts(tree.pop("defaults", None))
    tree.pop("hydra", None)
    if defaults is None and not choices:
        return [Layer.of_mapping(shown(experiment), tree)]
    # In the order of the defaults list; `_self_` is the place of the experiment file.
    layers = []
    for result in _defaults_list(experiment, defaults or [], folders, choices):
        package = tuple(result.package.split(".")) if result.package else ()
        if result.primary:
            layers.append(Layer.of_mapping(shown(experiment), tree))
        elif result.config_path is not None and (path := folders.find(result.config_path)) is not None:
            content = read_settings(path)
            content.pop("defaults", None)
            layers.append(Layer.of_mapping(shown(path), content, package))
            layers[-1].is_group = "/" in result.config_path
    return layers


def _defaults_list(
    experiment: Path, defaults: Any, folders: ConfigFolders, choices: Sequence[str]
) -> list[ResultDefault]:
    """Resolve the defaults list with Hydra, using the choices of the command line.

    Hydra sees a stand-in that holds nothing but the list: experiment files may have any name and be in any folder.
    """
    import yaml
    from hydra.errors import HydraException, MissingConfigException
    from hydra.types import RunMode
    from omegaconf.errors import OmegaConfBaseException

    if not isinstance(defaults, list):
        raise InputError(f"{shown(experiment)}: defaults: expected a list such as [algorithm: ppo], found {defaults!r}")
    if "_self_" not in defaults:
        defaults = [*defaults, "_self_"]
    # The stand-in is written to a folder of its own; the real folders are its search path.
    search = {"searchpath": [f"file://{folder}" for folder in folders.folders]}
    try:
        with tempfile.TemporaryDirectory() as folder, _hydra(folder) as loader:
            (Path(folder) / f"{_PRIMARY}.yaml").write_text(yaml.safe_dump({"defaults": defaults, "hydra": search}))
            results = loader.compute_defaults_list(_PRIMARY, list(choices), RunMode.RUN).defaults
    except MissingConfigException as error:
        raise _missing_entry(error, experiment, folders) from error
    except yaml.MarkedYAMLError as error:
        raise _unreadable_group(error, experiment) from error
    except (HydraException, OmegaConfBaseException, OSError, ValueError) as error:
        if (unused := re.match(r"Could not override '(\w+)'", str(error))) is not None:
            raise _unused_group(unused[1], experiment, choices) from error
        reason = " ".join(str(error).replace(_PRIMARY, experiment.name).split())
        raise InputError(f"{shown(experiment)}: defaults list: {reason}") from error
    return [result for result in results if (result.package or "").split(".")[0] != "hydra"]


@contextmanager
def _hydra(folder: str) -> Iterator[ConfigLoader]:
    """Run Hydra on a folder, and restore the state of a surrounding Hydra application."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    surrounding = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(folder, version_base="1.3"):
            yield GlobalHydra.instance().config_loader()
    finally:
        GlobalHydra.instance().hydra = surrounding


def _unreadable_group(error: Any, experiment: Path) -> InputError:
    """The error of `read_yaml` on the group file that Hydra stumbled over."""
    mark = error.problem_mark or error.context_mark
    try:
        read_yaml(Path(mark.name) if mark is not None else experiment)
    except InputError as clear:
        return clear
    return InputError(f"{shown(experiment)}: defaults list: {error}")


def _unused_group(group: str, experiment: Path, choices: Sequence[str]) -> InputError:
    """The error for a choice in a group that the defaults list does not have, as of a run's config.yaml."""
    choice = next(choice for choice in choices if choice.partition("=")[0] == group)
    example = "algorithm.name=sac" if group == "algorithm" else f"{group}.KEY=VALUE"
    return InputError(
        f"command line: {choice}: {shown(experiment)} chooses no file of the group {group}, so there is none to "
        f"replace; expected keys, such as {example}, or +{choice} to put that file over it"
    )


def _missing_entry(error: Any, experiment: Path, folders: ConfigFolders) -> InputError:
    """The error for an entry of a defaults list that names no file."""
    group, _, choice = str(error.missing_cfg_file).rpartition("/")
    named = re.match(r"In '(.+?)'", str(error))
    parent = folders.find(named[1]) if named is not None else None
    where = f"{shown(parent or experiment)}: defaults list"
    if group and not folders.options(group):
        return UnknownNameError("group", group, folders.groups(), where)
    return UnknownNameError(group or "file", choice, folders.options(group), where)
