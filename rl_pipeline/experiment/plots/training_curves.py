"""Plot of a training: return, success rate and episode length over environment steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rl_pipeline.experiment.atomic_files import whole_file
from rl_pipeline.experiment.evaluations import EvaluationLog
from rl_pipeline.experiment.recording.episodes import EpisodeHistory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, GRID, TRAINING, EVALUATION = "#2b2d42", "#e5e7eb", "#2f6fde", "#e4572e"


def draw_curves(path: Path, title: str, history: EpisodeHistory, evaluations: EvaluationLog) -> None:
    """Write the plot atomically: episodes raw and averaged, evaluations as mean ± standard deviation."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Not every environment reports success.
    panels = ["return", "episode length"]
    if len(history.successes) == len(history.returns) and history.successes:
        panels.insert(1, "success rate")
    figure = Figure(figsize=(4.6 * len(panels), 3.8), dpi=130, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, color=INK, fontsize=12, fontweight="bold")
    for index, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), index + 1)
        style_axes(axes, panel)
        _draw_training(axes, panel, history)
        _draw_evaluations(axes, panel, evaluations)
        if index == 0 and axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="best")
    with whole_file(path) as temporary:
        figure.savefig(temporary)


def rolling_mean(values: ArrayLike, window: int) -> NDArray[np.float64]:
    """Return the mean of the last `window` values at each position, of fewer at the beginning. Shape (n,) to (n,)."""
    array = np.asarray(values, dtype=np.float64)
    sums = np.concatenate(([0.0], np.cumsum(array)))
    ends = np.arange(1, len(array) + 1)
    starts = np.maximum(0, ends - window)
    means: NDArray[np.float64] = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def style_axes(axes: Axes, panel: str) -> None:
    """Give a panel over environment steps its title, grid and colours."""
    from matplotlib.ticker import EngFormatter

    style_panel(axes, panel)
    axes.set_xlabel("environment steps", color=INK, fontsize=9)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    if panel == "success rate":
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def style_panel(axes: Axes, title: str) -> None:
    """Give a panel over anything its title, grid and colours."""
    axes.set_title(title, color=INK, fontsize=10, loc="left")
    axes.tick_params(colors=INK, labelsize=8, length=0)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _draw_training(axes: Axes, panel: str, history: EpisodeHistory) -> None:
    values: dict[str, list[Any]] = {
        "return": history.returns,
        "success rate": history.successes,
        "episode length": history.lengths,
    }
    if not values[panel]:
        return
    if panel != "success rate":
        axes.plot(history.timesteps, values[panel], ".", color=TRAINING, markersize=3.5, alpha=0.3, markeredgewidth=0)
    window = min(len(values[panel]), int(np.clip(len(values[panel]) // 10, 10, 100)))
    averaged = rolling_mean(values[panel], window)
    timesteps = np.array(history.timesteps)
    # Of episodes that ended in the same step only the last mean is drawn, or the line would go up and down in place.
    last = np.append(timesteps[1:] != timesteps[:-1], True)
    axes.plot(timesteps[last], averaged[last], color=TRAINING, linewidth=2.0, label=f"training, mean of {window}")


def _draw_evaluations(axes: Axes, panel: str, log: EvaluationLog) -> None:
    # Evaluations that have this figure, without episodes of lost simulators.
    rows: list[tuple[int, NDArray[Any]]] = []
    for timesteps, episodes in zip(log.timesteps, log.evaluations, strict=True):
        values = {"return": episodes.returns, "success rate": episodes.successes, "episode length": episodes.lengths}
        row = values[panel]
        if row is not None and not episodes.lost.all():
            rows.append((timesteps, row[~episodes.lost]))
    if not rows:
        return
    means = [float(row.mean()) for _, row in rows]
    spread = None if panel == "success rate" else [float(row.std()) for _, row in rows]
    axes.errorbar(
        [timesteps for timesteps, _ in rows], means, yerr=spread, color=EVALUATION, marker="o", markersize=4,
        linewidth=1.2, elinewidth=0.8, capsize=2, label="evaluation, mean ± sd", zorder=3,
    )  # fmt: skip
