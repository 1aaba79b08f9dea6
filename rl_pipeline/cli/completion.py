"""Values that the TAB key offers; Typer offers verbs and options by itself.

Every function returns an empty list for wrong input: an error message has no place in a command line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, get_args, get_origin

import typer

EXPERIMENT_KEYS: Final = {"play.experiment", "training.pretrained_model", "evaluation.opponent"}
"""Keys whose value is the name of an experiment."""


def experiment_files(context: typer.Context) -> list[str]:
    """Return values of --config-name: the experiment files of --config-dir or configs/, and the shipped ones."""
    from rl_pipeline.config.loading import config_folders
    from rl_pipeline.errors import InputError

    try:
        return config_folders(context.params.get("config_dir")).options("")
    except InputError:
        return []


def experiment_names(context: typer.Context) -> list[str]:
    """Return names of experiments below --directory, else below the folder of config.yml, newest first."""
    from rl_pipeline.experiment.folder import existing_experiments

    names = [folder.path.name for folder in existing_experiments(_directory(context))]
    return list(dict.fromkeys(names))


def model_names(context: typer.Context) -> list[str]:
    """Return the models of the experiment of --experiment, else of the newest one."""
    from rl_pipeline.errors import InputError
    from rl_pipeline.experiment.folder import ExperimentFolder
    from rl_pipeline.experiment.lookup import MODELS

    # evaluate takes --experiment more than once; the last one counts.
    given = context.params.get("experiment")
    name = given[-1] if isinstance(given, list | tuple) and given else given or None
    try:
        folder = ExperimentFolder.find(name, _directory(context))
    except InputError:
        return []
    return sorted(path.stem for place in (folder.path, folder.checkpoints) for path in place.glob(MODELS))


def environment_ids() -> list[str]:
    """Return the ids of Gymnasium's registry, with those of this project."""
    import gymnasium

    import rl_pipeline.envs  # noqa: F401  registers environments

    return sorted(gymnasium.registry)


def override_values(context: typer.Context, incomplete: str) -> list[str]:
    """Return values of an override whose key is complete: `algorithm=sac` after `algorithm=s`.

    Bash splits words at `=` and takes the value alone; other shells take the whole word.
    """
    key, equals, _ = incomplete.partition("=")
    if equals:
        return [f"{key}={value}" for value in _values(key, context)]
    words = [word for word in context.params.get("overrides") or [] if word != "="]
    return _values(words[-1], context) if words and "=" not in words[-1] else []


def _values(spelled: str, context: typer.Context) -> list[str]:
    """Return the values of a key with choices."""
    from rl_pipeline.config.keys import canonical, fields
    from rl_pipeline.config.loading import config_folders
    from rl_pipeline.config.values import alternatives
    from rl_pipeline.errors import InputError

    # Keys with names of experiments, environments or algorithms.
    name = spelled.lstrip("+")
    key = ".".join(canonical(tuple(name.split("."))))
    if key in EXPERIMENT_KEYS:
        return experiment_names(context)
    choices: dict[str, Callable[[], list[str]]] = {
        "environment.id": environment_ids,
        "algorithm.name": _algorithms,
        "simulation.backend": _backends,
    }
    if key in choices:
        return choices[key]()

    # Keys of the schema with literals or flags.
    if (field := fields().get(tuple(key.split(".")))) is not None:
        parts = alternatives(field.annotation)
        literals = [str(choice) for part in parts if get_origin(part) is Literal for choice in get_args(part)]
        words = (["true", "false"] if bool in parts else []) + literals
        return words + (["null"] if words and type(None) in parts else [])

    # Groups of configuration files.
    try:
        return [] if "." in name or not name else config_folders(context.params.get("config_dir")).options(name)
    except InputError:
        return []


def _algorithms() -> list[str]:
    from rl_pipeline.algorithms.registration import algorithm_names

    return algorithm_names()


def _backends() -> list[str]:
    from rl_pipeline.backends.registration import BACKENDS

    return list(BACKENDS)


def _directory(context: typer.Context) -> Path:
    from rl_pipeline.config.loading import experiments_directory
    from rl_pipeline.errors import InputError

    # --directory wins; a wrong config.yml leaves the default of the schema.
    if (given := context.params.get("directory")) is not None:
        return Path(given)
    try:
        return experiments_directory()
    except InputError:
        return Path("experiments")
