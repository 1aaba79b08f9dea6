"""`rl-pipeline train`: train an agent."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import ConfigDir, ConfigFile, ConfigName, Overrides
from rl_pipeline.cli.registration import command_options
from rl_pipeline.errors import InputError

if TYPE_CHECKING:
    from rl_pipeline.config import Config

logger = logging.getLogger(__name__)


@command_options(epilog="Example: rl-pipeline train --config-name navigation_ppo training.total_timesteps=100000")
def train(
    overrides: Overrides = None,
    config_name: ConfigName = None,
    config: ConfigFile = None,
    config_dir: ConfigDir = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="Train once for each, such as 0..4 or 0,3,7, and print their common results."),
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
    # --initialize-from is an override, so that the run's config.yaml keeps it.
    if initialize_from is not None:
        from rl_pipeline.config.overrides import quoted

        overrides = [*(overrides or []), f"training.pretrained_model={quoted(initialize_from)}"]
    if cfg not in (None, "job"):
        raise InputError(f"--cfg: expected job, found {cfg!r}")

    loaded = _load(config_name, config, config_dir, overrides or [])
    if cfg is not None:
        _print_config(loaded)
        return
    _log_outweighed(loaded)

    # Players start while PyTorch is imported, which takes as long as everything before it.
    _prepare_players(loaded)
    from rl_pipeline.run.train import train as run

    code = run(
        loaded, overrides=overrides or [], seeds=seeds, console=make_console(), progress=make_console(stderr=True)
    )
    raise typer.Exit(code)


def _load(config_name: str | None, config: Path | None, config_dir: Path | None, overrides: list[str]) -> Config:
    """Load the configuration; the errors of a wrong one include those of its algorithm."""
    from rl_pipeline.config import InvalidConfigError, load_config

    try:
        return load_config(config_name, config_file=config, config_dir=config_dir, overrides=overrides)
    except InvalidConfigError as error:
        # Imports PyTorch: its price is paid for wrong configurations only.
        from rl_pipeline.run.plan import with_algorithm_problems

        raise with_algorithm_problems(error) from error


def _print_config(config: Config) -> None:
    """Check the configuration as a training does, and print it."""
    from rl_pipeline.config import render_config
    from rl_pipeline.run.plan import TrainingPlan

    if not config.training.test_only:
        TrainingPlan.of(config)
    typer.echo(render_config(config), nl=False)


def _log_outweighed(config: Config) -> None:
    """Log the settings of files that others outweigh."""
    from rl_pipeline.config import outweighed

    if config.training.verbose:
        for line in outweighed(config):
            logger.info(line)


def _prepare_players(config: Config) -> None:
    """Start the server that forks embedded players, so that it imports while this process does."""
    from rl_pipeline.envs.registration import task_id
    from rl_pipeline.simulation.forked_process import shared_fork_server
    from rl_pipeline.simulation.player_arguments import EMBEDDED

    unity = config.simulation.unity
    if unity.launch and unity.build_path == EMBEDDED and task_id(config.environment.id) is not None:
        shared_fork_server()
