"""Load a configuration: compose the files, put config.yml and the command line over them, validate the result."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rl_pipeline.config.composition import ConfigFolders, composed_layers, read_settings, shown
from rl_pipeline.config.environment_number import number_of_experiment
from rl_pipeline.config.keys import Kind, canonical, kind
from rl_pipeline.config.layers import Layer, Merged, resolve
from rl_pipeline.config.origins import DEFAULT, dotted
from rl_pipeline.config.overrides import COMMAND_LINE, Overrides, parse_overrides
from rl_pipeline.config.schema import Config, SimulationConfig
from rl_pipeline.config.validation import config_origin, validated
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.workspaces import WORKSPACE_KEY, use_workspaces
from rl_pipeline.paths import expanded
from rl_pipeline.plugins import import_user_module

logger = logging.getLogger(__name__)

DEFAULT_EXPERIMENT = "navigation_ppo"
MACHINE_FILE = Path("config.yml")
NO_MACHINE_FILE = Path(os.devnull)
"""Value of `machine_file` for a configuration of files and overrides alone, without config.yml."""


@dataclass(frozen=True)
class MachineSettings:
    """Content of config.yml: the experiment file to run, and the players and ROS side of this machine."""

    experiment: str
    simulation: SimulationConfig


def load_config(
    config_name: str | None = None,
    *,
    config_file: Path | None = None,
    config_dir: Path | None = None,
    machine_file: Path | None = None,
    overrides: Sequence[str] = (),
    sampled: Layer | None = None,
    imports: bool = True,
    needs_experiment: bool = True,
    of_run: bool = False,
) -> Config:
    """Compose and validate a configuration, import the modules and use the workspaces that it names.

    Stronger over weaker: sampled settings, overrides, machine file, experiment file, groups, defaults of the schema.
    The number of environments that an experiment file names outweighs the machine file's, unless `of_run`.

    Args:
        config_name: an experiment file of the configs folder; without it, the one that the machine file names.
        config_file: any YAML file in place of `config_name`, with or without a defaults list.
        config_dir: the folder of groups and experiment files; without it, `configs/` of the working directory. The
            project's own groups can be named in either case.
        machine_file: settings of this machine; without it, `config.yml` of the working directory if there is one.
        overrides: in Hydra's grammar, such as `training.seed=1`, `algorithm=sac`, `~algorithm.parameters.ent_coef`.
        sampled: settings chosen by a search, the strongest layer.
        imports: import its modules and use its workspaces; False for callers that need neither.
        needs_experiment: False: an experiment file named by the machine file that cannot be read is left out with a
            warning.
        of_run: the file is the `config.yaml` of a run, which names every key.

    Raises:
        InputError: a line for each problem, with file, key, and the expected and found values.
    """
    if config_name is not None and config_file is not None:
        raise InputError(f"expected a config name or a config file, found both: {config_name!r} and {config_file}")
    load = partial(
        _load, config_dir=config_dir, machine_file=machine_file, overrides=overrides, sampled=sampled, imports=imports,
        of_run=of_run,
    )  # fmt: skip
    try:
        return load(config_name, config_file)
    except InputError as error:
        if needs_experiment or config_name is not None or config_file is not None:
            raise
        config = load(DEFAULT_EXPERIMENT, None)  # what else is wrong is an error here too
        logger.warning("going on without the experiment file, of which nothing is needed here: %s", error)
        return config


def _load(
    config_name: str | None,
    config_file: Path | None,
    *,
    config_dir: Path | None,
    machine_file: Path | None,
    overrides: Sequence[str],
    sampled: Layer | None,
    imports: bool,
    of_run: bool,
) -> Config:
    # Machine file: its `experiment` may be a text, the experiment file to run.
    machine = _machine_file(machine_file)
    settings = read_settings(machine) if machine is not None else {}
    named = settings.pop("experiment") if isinstance(settings.get("experiment"), str) else None

    folders = config_folders(config_dir, config_file)
    if config_file is not None:
        experiment = config_file
    elif config_name is None and named is not None and machine is not None:
        experiment = folders.experiment(expanded(named), f"{shown(machine)}: experiment", machine.absolute().parent)
        if experiment.parent not in folders.folders:
            folders = config_folders(config_dir, experiment)
    else:
        experiment = folders.experiment(config_name or DEFAULT_EXPERIMENT)

    # Layers, weakest first.
    command_line = parse_overrides(overrides, folders.check_choice)
    files = composed_layers(experiment, folders, command_line.choices)
    layers = [_defaults(), *files]
    of_machine = Layer.of_mapping(shown(machine or MACHINE_FILE), settings)
    layers.append(of_machine)
    number = None if of_run else number_of_experiment(files, [of_machine, Layer(COMMAND_LINE, command_line.values)])
    if number is not None:
        layers.append(number)
    config = _merged(layers, command_line, sampled)
    config._outweighed = _outweighed(files, of_machine, config)
    if imports:
        activate(config)
    return config


def config_of_settings(settings: Mapping[str, Any], source: str, *, machine_file: Path | None = None) -> Config:
    """Make the configuration of settings from a file of another kind; they are stronger than the machine file.

    Args:
        settings: sections by name.
        source: the file, as errors name it.
        machine_file: settings of this machine; without it, `config.yml` of the working directory if there is one.

    Raises:
        InputError: as `load_config` does.
    """
    machine = _machine_file(machine_file)
    # Its experiment file plays no part: the settings are the experiment.
    below = read_settings(machine) if machine is not None else {}
    if isinstance(below.get("experiment"), str):
        del below["experiment"]
    layers = [_defaults(), Layer.of_mapping(shown(machine or MACHINE_FILE), below), Layer.of_mapping(source, settings)]
    config = _merged(layers, Overrides())
    activate(config)
    return config


def machine_settings(machine_file: Path | None = None, overrides: Sequence[str] = ()) -> MachineSettings:
    """Read a machine file (default: config.yml of the working directory), without any experiment file.

    Args:
        machine_file: the file.
        overrides: settings over those of the file, such as `ros.tcp_port=10001`.

    Raises:
        InputError: as `load_config` does.
    """
    machine = _machine_file(machine_file)
    settings = read_settings(machine) if machine is not None else {}
    named = settings.pop("experiment") if isinstance(settings.get("experiment"), str) else DEFAULT_EXPERIMENT
    layers = [_defaults()] + ([Layer.of_mapping(shown(machine), settings)] if machine is not None else [])
    return MachineSettings(named, _merged(layers, parse_overrides(overrides, lambda *_: False)).simulation)


def experiments_directory(machine_file: Path | None = None) -> Path:
    """Return the folder of experiments that the machine file names; raises as `load_config` does."""
    machine = _machine_file(machine_file)
    section = read_settings(machine).get("experiment") if machine is not None else None
    layers = [_defaults()]
    if machine is not None and isinstance(section, dict):
        layers.append(Layer.of_mapping(shown(machine), {"experiment": section}))
    return _merged(layers, Overrides()).experiment.directory


def _merged(layers: Sequence[Layer], command_line: Overrides, sampled: Layer | None = None) -> Config:
    merged = Merged()
    problems = [problem for layer in layers for problem in layer.problems]
    for layer in layers:
        merged.add(layer)
    problems += _delete(merged, command_line)
    for last in (Layer(COMMAND_LINE, command_line.values), *([] if sampled is None else [sampled])):
        merged.add(last)
        problems += last.problems
    problems += resolve(merged)
    return validated(merged, problems)


def outweighed(config: Config) -> list[str]:
    """Return a line for each value of the machine file that outweighs the experiment's, or the other way round."""
    return config._outweighed


def _outweighed(files: Sequence[Layer], machine: Layer, config: Config) -> list[str]:
    settings = {key: setting for layer in files for key, setting in layer.settings.items()}
    lines = []
    for key, setting in machine.settings.items():
        other = settings.get(key)
        if other is None or other.value == setting.value:
            continue
        for winner, loser in ((setting, other), (other, setting)):
            if config._origins.of(key) == winner.origin:
                lines.append(f"{winner.origin} outweighs {loser.origin}")  # without the values, which may be secrets
    return lines


def activate(config: Config) -> None:
    """Use the workspaces and import the modules that a configuration names.

    Raises:
        InputError: there is no such folder, or a module cannot be imported.
    """
    use_workspaces(config.simulation.workspace, str(config_origin(config, WORKSPACE_KEY)))
    for module in config.modules:
        import_user_module(module, str(config_origin(config, "modules")))


def _delete(merged: Merged, command_line: Overrides) -> list[InputError]:
    """Remove the settings that `~key` names; the default of the schema remains."""
    problems = []
    for spelled in command_line.deletions:
        key = canonical(spelled)
        if not merged.remove(key) and kind(key) in (Kind.UNKNOWN, Kind.MAPPING):
            problems.append(InputError(f"{COMMAND_LINE}: ~{dotted(spelled)}: nothing to delete; no file sets this key"))
    return problems


def _machine_file(path: Path | None) -> Path | None:
    if path is not None:
        return path
    return MACHINE_FILE if MACHINE_FILE.exists() else None


def config_folders(config_dir: Path | None = None, config_file: Path | None = None) -> ConfigFolders:
    """Return the folders of groups and experiment files, in order of search. Raises `InputError` for a missing one."""
    if config_dir is not None and not config_dir.is_dir():
        found = "a file" if config_dir.exists() else "no such folder"
        raise InputError(f"{config_dir}: expected a folder of configuration files, found {found}")
    beside = [config_file.parent] if config_file is not None else []
    chosen = config_dir if config_dir is not None else Path("configs")
    package = Path(__file__).parent
    shipped = [folder for folder in (package / "configs", package.parents[1] / "configs") if folder.is_dir()]
    return ConfigFolders([*beside, *([chosen] if chosen.is_dir() else []), *shipped[:1]])


def _defaults() -> Layer:
    """Return the defaults of the schema as the weakest layer, so that `${...}` can refer to them."""
    return Layer.of_mapping(DEFAULT, Config().model_dump())
