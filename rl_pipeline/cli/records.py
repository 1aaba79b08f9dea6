"""Verbs that look at the experiments there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from rl_pipeline.cli.app import app
from rl_pipeline.cli.console import console
from rl_pipeline.cli.options import Directory, Experiments, MoreExperiments, within
from rl_pipeline.errors import InputError

PANEL: Final = "Watch and judge"

Where = Annotated[list[str] | None, typer.Option("--where", help="Only those with KEY=VALUE; may be repeated.")]


@app.command(
    rich_help_panel=PANEL, epilog="Example: rl-pipeline plot 'navigation_*' --output curves.png --html report.html"
)
def plot(
    experiments: Experiments = None,
    experiment: MoreExperiments = None,
    where: Where = None,
    directory: Directory = None,
    output: Annotated[Path | None, typer.Option(help="Picture of the learning curves, .png or .svg.")] = None,
    html: Annotated[Path | None, typer.Option(help="Page with results, curves, videos and settings.")] = None,
    title: Annotated[str | None, typer.Option(help="Heading; without it, the environments' names.")] = None,
) -> None:
    """Draw the learning curves of experiments; repetitions with other seeds become a mean with a band."""
    from rl_pipeline.cli.plot import plot as run

    run(
        _named(experiments, experiment),
        where or [],
        within(directory),
        output=output,
        html=html,
        title=title,
        console=console(),
    )


runs = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(
    runs,
    name="runs",
    help="List, compare and remove experiments.",
    epilog="Example: rl-pipeline runs list --where algorithm.name=ppo",
    rich_help_panel=PANEL,
)


@runs.command("list", epilog="Example: rl-pipeline runs list 'navigation_*' --where status=done")
def list_runs(
    experiments: Experiments = None,
    experiment: MoreExperiments = None,
    where: Where = None,
    directory: Directory = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")] = False,
) -> None:
    """List experiments, newest first: seed, status, steps, and how good the best model is."""
    from rl_pipeline.cli import runs as act
    from rl_pipeline.experiment.record import find_records

    chosen = act.filtered(find_records(_named(experiments, experiment), within(directory)), where or [])
    if json:
        typer.echo(act.runs_json(chosen))
    else:
        act.list_runs(chosen, console())


@runs.command(epilog="Example: rl-pipeline runs compare navigation_ppo navigation_sac")
def compare(
    experiments: Experiments = None,
    experiment: MoreExperiments = None,
    where: Where = None,
    directory: Directory = None,
) -> None:
    """Show which settings differ between experiments, beside their results."""
    from rl_pipeline.cli import runs as act
    from rl_pipeline.experiment.record import find_records

    act.compare_runs(
        act.filtered(find_records(_named(experiments, experiment), within(directory)), where or []), console()
    )


@runs.command(epilog="Example: rl-pipeline runs remove 'smoke*'")
def remove(
    experiments: Experiments = None,
    experiment: MoreExperiments = None,
    directory: Directory = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Even those that seem to be running.")] = False,
) -> None:
    """Remove experiments with all their models and videos; asks first."""
    from rl_pipeline.cli import runs as act
    from rl_pipeline.experiment.record import find_records

    if not (named := _named(experiments, experiment)):
        raise InputError("expected the experiments to remove: folders, names, or patterns such as 'smoke*'")
    chosen = (find_records if force else act.runs_to_remove)(named, within(directory))
    for record in chosen:
        console().print(str(record.folder.path), soft_wrap=True, markup=False)
    if yes or typer.confirm(f"remove {'this experiment' if len(chosen) == 1 else f'these {len(chosen)} experiments'}?"):
        act.remove_runs(chosen, console())


def _named(arguments: list[str] | None, options: list[str] | None) -> list[str]:
    return [*(arguments or []), *(options or [])]
