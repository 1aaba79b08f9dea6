"""The options that several verbs share, and what they select."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from rl_pipeline.cli.completion import experiment_files, experiment_names, model_names, override_values
from rl_pipeline.errors import InputError

if TYPE_CHECKING:
    from rl_pipeline.evaluation.selection import Selection

ROS_ARGUMENTS: Final = "--ros-args"

ConfigName = Annotated[
    str | None,
    typer.Option("--config-name", "-cn", help="An experiment file of configs/.", autocompletion=experiment_files),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Any YAML file, in place of --config-name.")]
ConfigDir = Annotated[Path | None, typer.Option("--config-dir", help="Folder of experiment files and groups.")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Settings such as training.seed=1 or algorithm=sac.", autocompletion=override_values),
]
Experiment = Annotated[
    str | None,
    typer.Option(help="An experiment's folder or name; without it, the newest.", autocompletion=experiment_names),
]
Experiments = Annotated[
    list[str] | None,
    typer.Argument(help="Folders, names, or patterns such as 'navigation_*'.", autocompletion=experiment_names),
]
MoreExperiments = Annotated[
    list[str] | None,
    typer.Option("--experiment", help="The same as an argument; may be repeated.", autocompletion=experiment_names),
]
Directory = Annotated[
    Path | None, typer.Option("--directory", help="Where the experiments are; without it, experiment.directory.")
]
Model = Annotated[
    str | None,
    typer.Option(help="best_model, model, a checkpoint's name, or any model file.", autocompletion=model_names),
]
Agent = Annotated[
    str, typer.Option(help="trained, random or zero.", autocompletion=lambda: ["trained", "random", "zero"])
]
Monitor = Annotated[bool, typer.Option("--monitor", help="Show how long players, link and agent take, live.")]
RecordBag = Annotated[Path | None, typer.Option("--record-bag", help="Folder for each episode as a ROS 2 bag (MCAP).")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the first episode.")]


def split_ros_arguments(context: typer.Context, arguments: list[str] | None) -> tuple[list[str], list[str]]:
    """Split what follows a verb into overrides, and `--ros-args` with all that follows it.

    Raises:
        InputError: there is another option before it; verbs with ROS arguments have Typer let every one pass.
    """
    given = arguments or []
    split = given.index(ROS_ARGUMENTS) if ROS_ARGUMENTS in given else len(given)
    for argument in given[:split]:
        if argument.startswith("-"):
            name = argument.partition("=")[0]
            options = [option for parameter in context.command.params for option in parameter.opts if option[0] == "-"]
            near = difflib.get_close_matches(name, options)
            hint = f". Did you mean {' or '.join(near)}? See" if near else "; see"
            raise InputError(f"No such option: {name}{hint} {context.command_path} --help")
    return given[:split], given[split:]


def within(directory: Path | None) -> Path:
    """Return the folder to look for experiments in: that of `--directory`, else the one of config.yml."""
    from rl_pipeline.config.loading import experiments_directory

    return experiments_directory() if directory is None else directory


def overridden(overrides: list[str] | None, directory: Path | None) -> list[str]:
    """The overrides, with `--directory` as one of them."""
    from rl_pipeline.config.overrides import quoted

    return [*(overrides or []), *([] if directory is None else [f"experiment.directory={quoted(str(directory))}"])]


def select(
    overrides: list[str],
    config_name: str | None,
    config: Path | None,
    config_dir: Path | None,
    experiment: str | None,
    model: str | None,
    agent: str,
    directory: Path | None,
) -> Selection:
    """What is to act, and where, by the options that `play` and `evaluate` share."""
    from rl_pipeline.config import load_config
    from rl_pipeline.evaluation.agents import TRAINED
    from rl_pipeline.evaluation.selection import select

    base = load_config(
        config_name, config_file=config, config_dir=config_dir, overrides=overridden(overrides, directory),
        needs_experiment=agent != TRAINED and experiment is None,
    )  # fmt: skip
    is_named = config_name is not None or config is not None
    return select(base, experiment=experiment, model=model, agent=agent, overrides=overrides, is_named=is_named)
