"""`rl-pipeline plot`: learning curves of experiments as a picture, and as a page with results and videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from rl_pipeline.cli.runs import filtered
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.atomic_files import check_destination
from rl_pipeline.experiment.folder import environment_folder
from rl_pipeline.experiment.plots.comparison import draw_comparison
from rl_pipeline.experiment.plots.html_report import write_html_report
from rl_pipeline.experiment.plots.learning_curves import grouped
from rl_pipeline.experiment.record import find_records

DEFAULT_OUTPUT: Final = Path("curves.png")
PICTURES: Final = (".png", ".svg")


def plot(
    patterns: Sequence[str],
    conditions: Sequence[str],
    directory: Path,
    *,
    output: Path | None,
    html: Path | None,
    title: str | None,
    console: Console,
) -> None:
    """Draw what the chosen experiments have learned.

    Args:
        patterns: folders, names or patterns of names; none: the newest experiment.
        conditions: `key=value` each; only experiments that meet all are drawn.
        directory: where the experiments are.
        output: the picture; None: `curves.png`, unless a page is asked for.
        html: the page; None: no page.
        title: heading; None: the environments' names.
        console: where the names of the files are printed.

    Raises:
        InputError: no such experiment, none with an episode, or a file cannot be written.
    """
    if output is None and html is None:
        output = DEFAULT_OUTPUT
    if output is not None:
        check_destination(output, "--output")
        if output.suffix not in PICTURES:
            raise InputError(f"--output: expected a name that ends with {' or '.join(PICTURES)}, found {output}")
    if html is not None:
        check_destination(html, "--html")
    records = filtered(find_records(patterns, directory), conditions)
    if not patterns and not conditions:
        records = records[:1]
    records = [record for record in records if record.folder.episodes.is_file()]
    if not records:
        chosen = f" among {' '.join((*patterns, *conditions))}" if patterns or conditions else ""
        raise InputError(f"no experiment with an ended episode in {directory}{chosen}: run `rl-pipeline train` first")
    groups = grouped(records)
    heading = title or ", ".join(dict.fromkeys(_environment(record.settings) for record in records))
    if output is not None:
        draw_comparison(output, groups, heading)
        console.print(f"curves  {escape(str(output))}", soft_wrap=True)
    if html is not None:
        write_html_report(html, groups, heading)
        console.print(f"report  {escape(str(html))} ({html.stat().st_size / 2**20:.1f} MB)", soft_wrap=True)


def _environment(settings: dict[str, object]) -> str:
    return environment_folder(str(settings.get("environment.id", "experiments")))
