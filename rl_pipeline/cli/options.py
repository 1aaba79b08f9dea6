"""Options that several verbs share, and the settings, folders and agents that they select."""

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
Where = Annotated[list[str] | None, typer.Option("--where", help="Only those with KEY=VALUE; may be repeated.")]
Directory = Annotated[
    Path | None, typer.Option("--directory", help="Folder of the experiments; without it, experiment.directory.")
]
Model = Annotated[
    str | None,
    typer.Option(help="best_model, model, a checkpoint's name, or any model file.", autocompletion=model_names),
]
Agent = Annotated[
    str, typer.Option(help="trained, random or zero.", autocompletion=lambda: ["trained", "random", "zero"])
]
Monitor = Annotated[bool, typer.Option("--monitor", help="Show the times of players, link and agent, live.")]
RecordBag = Annotated[Path | None, typer.Option("--record-bag", help="Folder for each episode as a ROS 2 bag (MCAP).")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the first episode.")]


def split_ros_arguments(context: typer.Context, arguments: list[str] | None) -> tuple[list[str], list[str]]:
    """Split the arguments of a verb into overrides, and `--ros-args` with everything after it.

    Raises:
        InputError: an unknown option comes before it; for ROS arguments to pass, Typer lets every option pass.
    """
    given = arguments or []
    split = given.index(ROS_ARGUMENTS) if ROS_ARGUMENTS in given else len(given)
    for argument in given[:split]:
        if argument.startswith("-"):
            # The same message as Typer's, which does not look at these verbs' options.
            name = argument.partition("=")[0]
            options = [option for parameter in context.command.params for option in parameter.opts if option[0] == "-"]
            near = difflib.get_close_matches(name, options)
            hint = f". Did you mean {' or '.join(near)}? See" if near else "; see"
            raise InputError(f"No such option: {name}{hint} {context.command_path} --help")
    return given[:split], given[split:]


def directory_or_default(directory: Path | None) -> Path:
    """Return the folder of `--directory`, else the one of `experiment.directory` in config.yml."""
    from rl_pipeline.config.loading import experiments_directory

    return experiments_directory() if directory is None else directory


def with_directory(overrides: list[str] | None, directory: Path | None) -> list[str]:
    """Return the overrides with `--directory` as one of them."""
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
    """Select an agent and its environment by the options that `play`, `export` and `deploy` share."""
    # These import PyTorch.
    from rl_pipeline.config import load_config
    from rl_pipeline.evaluation.agents import TRAINED
    from rl_pipeline.evaluation.selection import select

    # A trained agent brings the configuration of its run; a baseline needs one from the command line or config.yml.
    base = load_config(
        config_name,
        config_file=config,
        config_dir=config_dir,
        overrides=with_directory(overrides, directory),
        needs_experiment=agent != TRAINED and experiment is None,
    )
    is_named = config_name is not None or config is not None
    return select(base, experiment=experiment, model=model, agent=agent, overrides=overrides, is_named=is_named)
