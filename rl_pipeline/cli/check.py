"""`rl-pipeline check`: check an environment and print each result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from rl_pipeline.cli.completion import environment_ids
from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.exit import FAILED
from rl_pipeline.cli.options import Overrides
from rl_pipeline.cli.registration import command_options
from rl_pipeline.plurals import plural

if TYPE_CHECKING:
    from rich.console import Console


@command_options(epilog="Example: rl-pipeline check rl_pipeline/Navigation-v0")
def check(
    env_id: Annotated[str, typer.Argument(help="A registered environment.", autocompletion=environment_ids)],
    overrides: Overrides = None,
) -> None:
    """Check an environment against the rules of Gymnasium, Stable-Baselines3 and the protocol."""
    if not print_checks(env_id, overrides or [], make_console()):
        raise typer.Exit(FAILED)


def print_checks(env_id: str, overrides: Sequence[str], console: Console) -> bool:
    """Check an environment, print each result as it comes, and return True when no check failed.

    Raises:
        InputError: there is no such environment, or its player cannot be started.
    """
    # These import PyTorch.
    from rl_pipeline.config import load_config
    from rl_pipeline.evaluation.environment_checks import check_environment

    # A run on this machine may hold the configured port.
    config = load_config(overrides=[f"environment.id={env_id}", *overrides], needs_experiment=False)
    config = config.model_copy(update={"simulation": config.simulation.with_any_port()})

    failures = left_out = 0
    console.print(f"Checking [bold]{escape(env_id)}[/bold]")
    for result in check_environment(config):
        if result.left_out:
            left_out += 1
            console.print(f"  [yellow]left out[/yellow]  {escape(result.name)}: {escape(result.left_out)}")
        elif result.passed:
            console.print(f"  [green]passed[/green]  {escape(result.name)}")
        else:
            failures += 1
            console.print(f"  [red]FAILED[/red]  {escape(result.name)}: {escape(result.problem)}")

    outcome = f"{failures} {plural(failures, 'check')} failed" if failures else "All checks passed"
    console.print(f"{outcome}; {left_out} left out." if left_out else f"{outcome}.")
    return not failures
