"""Comparison of experiments: learning curves over steps and over wall time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from rl_pipeline.experiment.atomic_files import whole_file
from rl_pipeline.experiment.plots.learning_curves import AXES, METRICS, Group
from rl_pipeline.experiment.plots.training_curves import INK, style_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind people can tell apart.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MINUTE, HOUR = 60.0, 3600.0


def draw_comparison(path: Path, groups: Sequence[Group], title: str) -> None:
    """Write a PNG or SVG, by the ending of `path`: a row of panels over steps and one over wall time.

    Groups of several runs are drawn as their mean with a band of one standard deviation. A metric without
    data gets no panel, and runs without times no second row.
    """
    figure = comparison_figure(groups, title)
    with whole_file(path) as temporary:
        figure.savefig(temporary)


def comparison_figure(groups: Sequence[Group], title: str) -> Figure:
    """Draw the comparison as a Matplotlib figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def told(axis: str, metric: str) -> bool:
        return any(group.curve(axis, metric) is not None for group in groups)

    # One column for each metric with data, one row for each axis.
    metrics = [metric for metric in METRICS if told("timesteps", metric)] or ["return"]
    rows = [axis for axis in AXES if axis == "timesteps" or told(axis, metrics[0])]
    size = (4.4 * len(metrics), 3.3 * len(rows) + 0.9)
    figure = Figure(figsize=size, dpi=130, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, color=INK, fontsize=12, fontweight="bold")
    for row, axis in enumerate(rows):
        for column, metric in enumerate(metrics):
            axes = figure.add_subplot(len(rows), len(metrics), row * len(metrics) + column + 1)
            style_axes(axes, METRICS[metric])
            _draw(axes, groups, axis, metric)
    # One legend for all panels.
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9, labelcolor=INK)
    return figure


def _draw(axes: Axes, groups: Sequence[Group], axis: str, metric: str) -> None:
    curves = [group.curve(axis, metric) for group in groups]
    unit, divisor = _unit(axis, max((float(curve[0][-1]) for curve in curves if curve is not None), default=1.0))
    axes.set_xlabel(f"{AXES[axis]}{unit}", color=INK, fontsize=9)
    if axis == "seconds":
        axes.xaxis.set_major_formatter("{x:g}")
    for index, (group, curve) in enumerate(zip(groups, curves, strict=True)):
        if curve is None:
            continue
        # A line for the mean, a band of one standard deviation for several seeds.
        x, mean, spread = curve
        colour, count = COLOURS[index % len(COLOURS)], len(group.records)
        label = group.label if count == 1 else f"{group.label} (mean ± sd of {count} seeds)"
        axes.plot(x / divisor, mean, color=colour, linewidth=1.8, label=label)
        if spread.any():
            low, high = mean - spread, mean + spread
            if metric == "success":
                low, high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
            axes.fill_between(x / divisor, low, high, color=colour, alpha=0.18, linewidth=0)


def _unit(axis: str, largest: float) -> tuple[str, float]:
    """Return the unit in the axis title, and the divisor of its values."""
    if axis == "timesteps":
        return "", 1.0
    if largest < 2 * MINUTE:
        return " [s]", 1.0
    return (" [min]", MINUTE) if largest < 2 * HOUR else (" [h]", HOUR)
