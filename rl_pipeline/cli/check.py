"""`rl-pipeline check`: check an environment and print what was found."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from rl_pipeline.config import load_config
from rl_pipeline.evaluation.environment_checks import check_environment
from rl_pipeline.plurals import plural


def check(env_id: str, overrides: Sequence[str], console: Console) -> bool:
    """Check an environment, printing each result as it comes; says whether all checks passed.

    Raises:
        InputError: there is no such environment, or its player cannot be started.
    """
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
