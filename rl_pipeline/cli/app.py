"""The `rl-pipeline` command as such; the modules beside this one add their verbs to it."""

from __future__ import annotations

from typing import Annotated

import typer

from rl_pipeline.cli.console import log_to_terminal
from rl_pipeline.version import __version__

app = typer.Typer(
    name="rl-pipeline",
    help="Train, watch and judge reinforcement-learning agents on parallel robot simulators.",
    epilog="Start with: rl-pipeline train --config-name navigation_ppo",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rl-pipeline {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and more of the log.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    log_to_terminal(debug)
