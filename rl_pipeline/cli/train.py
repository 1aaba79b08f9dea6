"""Verbs that train."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.completion import experiment_names
from rl_pipeline.cli.console import console
from rl_pipeline.cli.options import ConfigDir, ConfigFile, ConfigName, Directory, Overrides, within
from rl_pipeline.errors import InputError

if TYPE_CHECKING:
    from rl_pipeline.config import Config

logger = logging.getLogger(__name__)

PANEL: Final = "Train"


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: rl-pipeline train --config-name navigation_ppo training.total_timesteps=100000",
)
def train(
    overrides: Overrides = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
    seeds: Annotated[
        str | None, typer.Option(help="Train once for each, such as 0..4 or 0,3,7, and say what they have in common.")
    ] = None,
    initialize_from: Annotated[
        str | None,
        typer.Option(help="Begin with the weights of a model file, an experiment or wandb:entity/project/run."),
    ] = None,
    cfg: Annotated[
        str | None, typer.Option("--cfg", help="job: check the whole configuration, print it and exit.")
    ] = None,
) -> None:
    """Train an agent; model, videos and curves go to a new folder under experiments/."""
    if initialize_from is not None:
        from rl_pipeline.config.overrides import quoted

        overrides = [*(overrides or []), f"training.pretrained_model={quoted(initialize_from)}"]
    if cfg not in (None, "job"):
        raise InputError(f"--cfg: expected job, found {cfg!r}")
    loaded = _load(config_name, config, config_dir, overrides or [])
    if cfg is not None:
        _print_config(loaded)
        return
    from rl_pipeline.config import outweighed

    if loaded.training.verbose:
        for line in outweighed(loaded):
            logger.info(line)
    _prepare_players(loaded)
    from rl_pipeline.run.train import train as run  # this imports PyTorch, which takes as long as all the rest

    code = run(loaded, overrides=overrides or [], seeds=seeds, console=console(), progress=console(stderr=True))
    raise typer.Exit(code)


@app.command(rich_help_panel=PANEL, epilog="Example: rl-pipeline resume navigation_ppo training.total_timesteps=400000")
def resume(
    experiment: Annotated[
        str | None, typer.Argument(help="The experiment's folder or name.", autocompletion=experiment_names)
    ] = None,
    overrides: Overrides = None,
    named: Annotated[
        str | None,
        typer.Option("--experiment", help="The same, in place of the argument.", autocompletion=experiment_names),
    ] = None,
    directory: Directory = None,
) -> None:
    """Go on with a run that ended, was interrupted or was killed, from its last checkpoint."""
    from rl_pipeline.run.resuming import resume as run

    words = [*([] if experiment is None else [experiment]), *(overrides or [])]
    if named is None and not words:
        raise InputError("expected the experiment to go on with: its folder or name")
    experiment, *settings = words if named is None else [named, *words]
    code = run(experiment, within(directory), settings, console=console(), progress=console(stderr=True))
    raise typer.Exit(code)


def _prepare_players(config: Config) -> None:
    """Have what forks embedded players get ready while this process imports what trains them."""
    from rl_pipeline.envs.registration import task_id
    from rl_pipeline.simulation import fork_server
    from rl_pipeline.simulation.player_arguments import EMBEDDED

    unity = config.simulation.unity
    if unity.launch and unity.build_path == EMBEDDED and task_id(config.environment.id) is not None:
        fork_server.of_process()


def _load(config_name: str | None, config: Path | None, config_dir: Path | None, overrides: list[str]) -> Config:
    """Load the configuration; its errors name what is wrong with the algorithm too."""
    from rl_pipeline.config import InvalidConfigError, load_config

    try:
        return load_config(config_name, config_file=config, config_dir=config_dir, overrides=overrides)
    except InvalidConfigError as error:
        from rl_pipeline.run.plan import with_algorithm_problems  # this imports PyTorch, only to complain

        raise with_algorithm_problems(error) from error


def _print_config(config: Config) -> None:
    """Check the configuration as a training does, and print it."""
    from rl_pipeline.config import render_config
    from rl_pipeline.run.plan import check_training

    if not config.training.test_only:
        check_training(config)
    typer.echo(render_config(config), nl=False)
