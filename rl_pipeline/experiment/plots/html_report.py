"""HTML report: results, learning curves, videos and settings of experiments in a single file."""

from __future__ import annotations

import base64
import datetime
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from rl_pipeline.experiment.atomic_files import write_text
from rl_pipeline.experiment.plots.comparison import comparison_figure
from rl_pipeline.experiment.plots.learning_curves import Group
from rl_pipeline.experiment.record import ExperimentRecord, differing_settings, is_incidental, setting_text

VIDEOS_PER_GROUP: Final = 3
UNTOLD: Final = "-"


def write_html_report(path: Path, groups: Sequence[Group], title: str) -> None:
    """Write the page, with pictures and videos inside it.

    Args:
        path: the HTML file.
        groups: the experiments, repetitions of one being a group.
        title: heading of the page.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("rl_pipeline.experiment"), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    # Pictures and videos are embedded, so that the page can be sent as one file.
    records = [record for group in groups for record in group.records]
    page = templates.get_template("report.html.j2").render(
        title=title,
        made=f"{datetime.datetime.now():%Y-%m-%d %H:%M}",
        groups=[_group_row(group) for group in groups],
        curves=_curves(groups, title),
        videos=[video for group in groups for video in _videos(group)],
        differing=_differing(groups),
        runs=[_run_row(record) for record in records],
    )
    write_text(path, page)


def _group_row(group: Group) -> dict[str, Any]:
    first = group.records[0]
    return {
        "label": group.label,
        "count": len(group.records),
        "environment": first.settings.get("environment.id", UNTOLD),
        "algorithm": str(first.settings.get("algorithm.name", UNTOLD)).upper(),
        "steps": _spread([record.facts.get("timesteps") for record in group.records], "{:,.0f}"),
        "returns": _spread([_figure(record, "mean_return") for record in group.records], "{:.2f}"),
        "successes": _spread([_figure(record, "success_rate") for record in group.records], "{:.1%}"),
        "lengths": _spread([_figure(record, "mean_length") for record in group.records], "{:.0f}"),
    }


def _run_row(record: ExperimentRecord) -> dict[str, Any]:
    git = record.facts.get("git") or {}
    return {
        "folder": "/".join(record.folder.path.parts[-3:]),
        "seed": record.settings.get("training.seed", UNTOLD),
        "status": record.status,
        "started": str(record.facts.get("started", UNTOLD))[:16].replace("T", " "),
        "returns": _spread([_figure(record, "mean_return")], "{:.2f}"),
        "success": _spread([_figure(record, "success_rate")], "{:.1%}"),
        "commit": str(git.get("commit", UNTOLD))[:10],
    }


def _curves(groups: Sequence[Group], title: str) -> str:
    picture = io.BytesIO()
    comparison_figure(groups, title).savefig(picture, format="png")
    return _embedded(picture.getvalue(), "image/png")


def _videos(group: Group) -> list[dict[str, str]]:
    """Return the final videos of the first few runs."""
    shown = [(record, record.folder.final_video) for record in group.records]
    return [
        {"source": _embedded(video.read_bytes(), "video/mp4"), "caption": f"{record.name}: the best model"}
        for record, video in shown
        if video.is_file()
    ][:VIDEOS_PER_GROUP]


def _differing(groups: Sequence[Group]) -> dict[str, list[str]]:
    rows = differing_settings([group.records[0] for group in groups])
    return {key: [setting_text(value) for value in values] for key, values in rows.items() if not is_incidental(key)}


def _figure(record: ExperimentRecord, name: str) -> float | None:
    return (record.evaluation or {}).get(name)


def _spread(values: Sequence[float | None], form: str) -> str:
    """Return mean ± standard deviation of the known values; the mean alone for one, or for equal ones."""
    known = [value for value in values if value is not None]
    if not known:
        return UNTOLD
    mean = form.format(float(np.mean(known)))
    if len(known) == 1 or min(known) == max(known):
        return mean
    return f"{mean} ± {form.format(float(np.std(known, ddof=1)))}"


def _embedded(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
