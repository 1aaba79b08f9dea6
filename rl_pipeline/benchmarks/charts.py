"""Charts of benchmarks: bars of figures, rates by size, learning curves."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.benchmarks.figures import IMPORTS, RATE, SHARE, TIMES, Bar
from rl_pipeline.experiment.atomic_files import whole_file
from rl_pipeline.experiment.plots.training_curves import GRID, INK, rolling_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS: Final = "#2f6fde"
THEIRS: Final = "#9aa3b2"
MISSED: Final = "#e4572e"
_POINTS: Final = 101
"""Points of a learning curve."""
_WINDOW: Final = 20
"""Episodes in the mean of each point of a learning curve."""
_TITLES: Final = {
    SHARE: "share of a plain echo of the same bytes (= 1.0)",
    TIMES: "times as fast as what else steps the same players",
    RATE: "environment steps/s with the traffic of Unity's connector",
    IMPORTS: "share of a start-up that bare imports of its libraries take",
}


@dataclass(frozen=True)
class Training:
    """Learning curve and rate of one training.

    Attributes:
        rate: environment steps per second.
        timesteps: environment steps at which an episode ended.
        returns: of these episodes.
    """

    rate: float
    timesteps: Sequence[int]
    returns: Sequence[float]


@dataclass(frozen=True)
class Line:
    """Line of rates by size, with several measurements of each.

    Attributes:
        name: label of the line.
        sizes: values of the abscissa.
        rates: measurements of each size, per second.
    """

    name: str
    sizes: Sequence[int]
    rates: Sequence[Sequence[float]]


def draw_bars(path: Path, bars: Sequence[Bar]) -> None:
    """Write the bar chart of figures: a panel for each unit, and a tick at the target of each bar."""
    units = [unit for unit in _TITLES if any(bar.unit == unit for bar in bars)]
    counts = [sum(bar.unit == unit for bar in bars) for unit in units]
    figure = _figure(9.2, 1.0 + sum(0.34 * count + 0.75 for count in counts))
    panels = figure.subplots(len(units), 1, squeeze=False, height_ratios=[count + 1.2 for count in counts])[:, 0]
    for axes, unit in zip(panels, units, strict=True):
        _draw_panel(axes, [bar for bar in bars if bar.unit == unit], unit)
    _save(figure, path)


def draw_scaling(
    path: Path, by_players: Sequence[Line], players_label: str, by_payload: Sequence[Line], payload_label: str
) -> None:
    """Write the chart of rates by number of players and by size of a response, on logarithmic scales."""
    from matplotlib.ticker import LogLocator

    figure = _figure(9.6, 4.0)
    figure.suptitle("Environment steps per second", color=INK, fontsize=12, fontweight="bold")
    for axes, lines, label in zip(
        figure.subplots(1, 2), (by_players, by_payload), (players_label, payload_label), strict=True
    ):
        # The median of each size as a line, and the range of its measurements as a band.
        _style(axes)
        for line, colour in zip(lines, (OURS, THEIRS), strict=True):
            middle = [statistics.median(rates) for rates in line.rates]
            axes.plot(line.sizes, middle, "o-", color=colour, markersize=4, linewidth=1.8, label=line.name)
            axes.fill_between(line.sizes, *_extremes(line.rates), color=colour, alpha=0.15, linewidth=0)
        # Scales and labels.
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.set_xlabel(label, color=INK, fontsize=9)
        axes.set_ylabel("steps/s, all players together", color=INK, fontsize=9)
        _number_axis(axes.xaxis)
        _number_axis(axes.yaxis)
        axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    figure.axes[0].set_xticks(by_players[0].sizes, [str(size) for size in by_players[0].sizes])
    _save(figure, path)


def draw_learning(path: Path, title: str, sides: Mapping[str, Sequence[Training]], total: int) -> None:
    """Write the learning curves of trainings of `total` steps, by steps and by time.

    Args:
        path: file of the chart.
        title: of the chart.
        sides: trainings by name; a line is their mean, the band from the least to the greatest.
        total: environment steps of each training.
    """
    figure = _figure(9.6, 3.8)
    figure.suptitle(title, color=INK, fontsize=12, fontweight="bold")
    steps = np.linspace(0, total, _POINTS)
    for axes, label in zip(figure.subplots(1, 2, sharey=True), ("environment steps", "seconds"), strict=True):
        _style(axes)
        # All trainings at the same steps; times follow from their mean rate.
        for (name, trainings), colour in zip(sides.items(), (OURS, MISSED), strict=True):
            at = steps if label == "environment steps" else steps / np.mean([each.rate for each in trainings])
            means = np.array([_means(training, steps) for training in trainings])
            axes.plot(at, means.mean(axis=0), color=colour, linewidth=2.0, label=name)
            axes.fill_between(at, means.min(axis=0), means.max(axis=0), color=colour, alpha=0.15, linewidth=0)
        axes.set_xlabel(label, color=INK, fontsize=9)
        axes.set_xlim(left=0)
        _number_axis(axes.xaxis)
    figure.axes[0].set_ylabel(f"return, mean of {_WINDOW} episodes", color=INK, fontsize=9)
    figure.axes[0].legend(frameon=False, fontsize=8, labelcolor=INK)
    _save(figure, path)


def _means(training: Training, steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean return of the last episodes that had ended by each number of steps; NaN where none had."""
    # Position -1, before the first episode, is the NaN at the end.
    means = np.append(rolling_mean(training.returns, _WINDOW), np.nan)
    position: NDArray[np.intp] = np.searchsorted(training.timesteps, steps, side="right") - 1
    return means[position]


def _draw_panel(axes: Axes, bars: Sequence[Bar], unit: str) -> None:
    """Draw horizontal bars from the top; a bar that misses its target has another colour."""
    _style(axes)
    axes.grid(False, axis="y")
    # Medians as bars, and the range of the measurements as a line.
    positions = range(len(bars))
    middle = [statistics.median(bar.values) for bar in bars]
    colours = [MISSED if value < bar.reach else OURS for value, bar in zip(middle, bars, strict=True)]
    axes.barh(positions, middle, height=0.62, color=colours)
    low, high = _extremes([bar.values for bar in bars])
    axes.hlines(positions, low, high, color=INK, linewidth=1.0)
    # Targets and figures.
    for position, bar, value in zip(positions, bars, middle, strict=True):
        if bar.reach:
            axes.vlines(bar.reach, position - 0.42, position + 0.42, color=INK, linewidth=2.2)
        end = max(value, high[position], bar.reach)
        text = _number(value, unit)
        axes.annotate(text, (end, position), (6, 0), textcoords="offset points", va="center", color=INK, fontsize=8)
    # Axes: a share has the echo at 1 as its reference.
    axes.set_yticks(positions, [bar.name for bar in bars], color=INK, fontsize=8)
    axes.invert_yaxis()
    if unit == SHARE:
        axes.set_xlim(0, max(1.12, 1.12 * max(high)))
        axes.axvline(1.0, color=INK, linewidth=0.8, linestyle=":")
    else:
        axes.set_xlim(0, 1.14 * max(*high, *(bar.reach for bar in bars)))
    axes.set_title(f"{_TITLES[unit]}; ticks: to be reached", color=INK, fontsize=9, loc="left")


def _number(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit in (SHARE, IMPORTS) else f"{value:.1f}" if unit == TIMES else f"{value:,.0f}"


def _extremes(measurements: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    """Return the least and the greatest of each group."""
    return [min(values) for values in measurements], [max(values) for values in measurements]


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=130, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png")


def _style(axes: Axes) -> None:
    axes.tick_params(colors=INK, labelsize=8, length=0, which="both")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _number_axis(axis: object) -> None:
    """Label an axis with numbers such as 1k, 10k and 1M."""
    from matplotlib.axis import Axis
    from matplotlib.ticker import EngFormatter, NullFormatter

    assert isinstance(axis, Axis)
    axis.set_major_formatter(EngFormatter(sep=""))
    axis.set_minor_formatter(NullFormatter())
