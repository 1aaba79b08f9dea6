"""`rl-pipeline resume`: continue a run from its last checkpoint."""

from __future__ import annotations

from typing import Annotated

import typer

from rl_pipeline.cli.completion import experiment_names
from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import Directory, Overrides, directory_or_default
from rl_pipeline.cli.registration import command_options
from rl_pipeline.errors import InputError


@command_options(epilog="Example: rl-pipeline resume navigation_ppo training.total_timesteps=400000")
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
    """Continue a run that ended, was interrupted or was killed, from its last checkpoint."""
    # With --experiment, the first argument is an override like the others.
    words = [*([] if experiment is None else [experiment]), *(overrides or [])]
    if named is None and not words:
        raise InputError("expected the experiment to resume: its folder or name")
    experiment, *settings = words if named is None else [named, *words]

    # Imports PyTorch.
    from rl_pipeline.run.resuming import resume as run

    code = run(
        experiment,
        directory_or_default(directory),
        settings,
        console=make_console(),
        progress=make_console(stderr=True),
    )
    raise typer.Exit(code)
