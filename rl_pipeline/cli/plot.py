"""`rl-pipeline plot`: learning curves of experiments as a picture, and as a page with results and videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape

from rl_pipeline.cli.console import make_console
from rl_pipeline.cli.options import Directory, Experiments, MoreExperiments, Where, directory_or_default
from rl_pipeline.cli.registration import command_options
from rl_pipeline.cli.runs import matching_records
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import check_destination
from rl_pipeline.experiment.folder import environment_folder
from rl_pipeline.experiment.record import ExperimentRecord, find_records

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_OUTPUT: Final = Path("curves.png")
PICTURE_SUFFIXES: Final = (".png", ".svg")


@command_options(epilog="Example: rl-pipeline plot 'navigation_*' --output curves.png --html report.html")
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
    if output is None and html is None:
        output = DEFAULT_OUTPUT
    # Destinations before the curves, which take long to read.
    check_files(output, html)
    patterns = [*(experiments or []), *(experiment or [])]
    records = records_with_episodes(patterns, where or [], directory_or_default(directory))
    draw(records, output, html, title, make_console())


def check_files(output: Path | None, html: Path | None) -> None:
    """Raise `InputError` for a picture or page that cannot be written."""
    if output is not None:
        check_destination(output, "--output")
        if output.suffix not in PICTURE_SUFFIXES:
            endings = " or ".join(PICTURE_SUFFIXES)
            raise InputError(f"--output: expected a name that ends with {endings}, found {output}")
    if html is not None:
        check_destination(html, "--html")


def records_with_episodes(
    patterns: Sequence[str], conditions: Sequence[str], directory: Path
) -> list[ExperimentRecord]:
    """Return the experiments that have a curve to draw.

    Args:
        patterns: folders, names or patterns of names; with no condition either, empty for the newest experiment.
        conditions: `key=value` each; the experiments meet all of them.
        directory: folder of the experiments.

    Raises:
        InputError: there is no such experiment, or none with an ended episode.
    """
    # Newest first.
    records = matching_records(find_records(patterns, directory), conditions)
    if not patterns and not conditions:
        records = records[:1]
    records = [record for record in records if record.folder.episodes.is_file()]
    if not records:
        chosen = f" among {' '.join((*patterns, *conditions))}" if patterns or conditions else ""
        raise InputError(f"no experiment with an ended episode in {directory}{chosen}: run `rl-pipeline train` first")
    return records


def draw(
    records: Sequence[ExperimentRecord], output: Path | None, html: Path | None, title: str | None, console: Console
) -> None:
    """Draw the learning curves of experiments and print the names of the files.

    Args:
        records: experiments with episodes; those that differ by their seed only become one curve.
        output: picture, or None.
        html: page, or None.
        title: heading; None: the names of the environments.
        console: output.
    """
    # These import PyTorch and Matplotlib.
    from rl_pipeline.experiment.plots.comparison import draw_comparison
    from rl_pipeline.experiment.plots.html_report import write_html_report
    from rl_pipeline.experiment.plots.learning_curves import grouped

    groups = grouped(records)
    environments = [str(record.settings.get("environment.id", "experiments")) for record in records]
    heading = title or ", ".join(dict.fromkeys(map(environment_folder, environments)))
    if output is not None:
        draw_comparison(output, groups, heading)
        console.print(f"curves  {escape(str(output))}", soft_wrap=True)
    if html is not None:
        write_html_report(html, groups, heading)
        console.print(f"report  {escape(str(html))} ({html.stat().st_size / 2**20:.1f} MB)", soft_wrap=True)
