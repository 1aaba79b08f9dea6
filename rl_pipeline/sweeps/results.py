"""Results of a sweep as files: a table of the trials, the configuration of the best one, and a chart."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from rl_pipeline.config import NO_MACHINE_FILE, load_config, render_config
from rl_pipeline.experiment.atomic_files import whole_file, write_text
from rl_pipeline.experiment.plots.training_curves import EVALUATION, INK, TRAINING, style_panel
from rl_pipeline.plurals import plural
from rl_pipeline.sweeps.folder import SweepFolder
from rl_pipeline.sweeps.space import Choice, Range, SearchSpace
from rl_pipeline.sweeps.study import STATES, SweepStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MAX_SETTINGS: Final = 8
"""Settings with a panel of their own in the chart: the most important ones."""
MIN_COLUMNS: Final = 3
MAX_COLUMNS: Final = 4
PRUNED: Final = "#9aa0ac"
"""Colour of trials that were ended early."""


def write_results(study: SweepStudy, folder: SweepFolder, objective: str) -> None:
    """Write table, best configuration and chart of the trials so far."""
    write_text(folder.table, trials_csv(study, folder, objective))
    if (best := study.best) is not None:
        write_text(folder.best, best_config(study, folder, best, objective))
    draw_sweep(folder.picture, study.trials, study.space, study.importances(), objective)


def trials_csv(study: SweepStudy, folder: SweepFolder, objective: str) -> str:
    """Return CSV with a line for each trial: state, objective at its end, last evaluation, settings, folder."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    keys = list(study.space.dimensions)
    writer.writerow(("trial", "state", objective, "evaluations", "last_evaluation", *keys, "folder"))
    for trial in study.trials:
        evaluations = sorted(trial.intermediate_values.items())
        experiment = folder.trial(trial.number)
        row = (
            trial.number,
            STATES[trial.state],
            # A trial that was ended early has a value too: that of its last evaluation, which is in the next column.
            trial.value if trial.state == TrialState.COMPLETE else "",
            len(evaluations),
            evaluations[-1][1] if evaluations else "",
            *(trial.params.get(key, "") for key in keys),
            experiment.path.relative_to(folder.path) if experiment else "",
        )
        writer.writerow(row)
    return text.getvalue()


def best_config(study: SweepStudy, folder: SweepFolder, best: FrozenTrial, objective: str) -> str:
    """Return YAML of the best trial as an experiment of its own, with the videos that trials go without."""
    sampled = study.space.layer(study.space.suggest(best))
    config = load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE, sampled=sampled)
    experiment = config.experiment.model_copy(update={"name": f"{folder.path.name}_best"})
    text = render_config(config.model_copy(update={"experiment": experiment}))
    return f"# Trial {best.number} of {folder.path.name}: {objective} {best.value:.4g}\n{text}"


def draw_sweep(
    path: Path, trials: list[FrozenTrial], space: SearchSpace, importances: dict[str, float], objective: str
) -> None:
    """Draw the objective by trial, the importances, and the objective over each setting; nothing before a result."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
    if not done:
        return
    # A row of two panels for the whole sweep, and rows of one panel for each setting.
    keys = list(importances or space.dimensions)[:MAX_SETTINGS]
    columns = min(max(len(keys), MIN_COLUMNS), MAX_COLUMNS)
    rows = 1 + -(-len(keys) // columns)
    figure = Figure(figsize=(3.4 * columns, 2.9 * rows + 0.4), dpi=130, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    count = f"{len(trials)} {plural(len(trials), 'trial')}"
    title = f"{path.parent.name} · {count} · best {objective} {max(_values(done)):.4g}"
    figure.suptitle(title, color=INK, fontsize=12, fontweight="bold")
    grid = figure.add_gridspec(rows, columns)
    # Panels.
    _draw_trials(figure.add_subplot(grid[0, :-1]), done, pruned, objective)
    _draw_importances(figure.add_subplot(grid[0, -1]), importances)
    for index, key in enumerate(keys):
        axes = figure.add_subplot(grid[1 + index // columns, index % columns])
        _draw_setting(axes, key, space.dimensions[key], done, pruned, objective)
    with whole_file(path) as temporary:
        figure.savefig(temporary)


def _draw_trials(axes: Axes, done: list[FrozenTrial], pruned: list[FrozenTrial], objective: str) -> None:
    """Draw each trial as a dot, and the best so far as a line."""
    from matplotlib.ticker import MaxNLocator

    style_panel(axes, f"{objective} by trial")
    numbers = [trial.number for trial in done]
    axes.step(numbers, np.maximum.accumulate(_values(done)), where="post", color=EVALUATION, label="best so far")
    axes.plot(numbers, _values(done), "o", color=TRAINING, markersize=5, label="done")
    _draw_pruned(axes, [trial.number for trial in pruned], pruned)
    axes.set_xlabel("trial", color=INK, fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="best")


def _draw_importances(axes: Axes, importances: dict[str, float]) -> None:
    style_panel(axes, "importance (PED-ANOVA)")
    if not importances:
        axes.text(0.5, 0.5, "too few results to tell", color=INK, fontsize=9, ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    # Bars are drawn from the bottom: the most important one comes last.
    names = [_short_name(key) for key in importances][::-1]
    axes.barh(names, list(importances.values())[::-1], color=TRAINING, height=0.6)
    axes.set_xlabel("share", color=INK, fontsize=9)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _draw_setting(
    axes: Axes,
    key: str,
    dimension: Range | Choice,
    done: list[FrozenTrial],
    pruned: list[FrozenTrial],
    objective: str,
) -> None:
    """Draw the objective over one setting; the options of a choice are at equal distances."""
    from matplotlib.ticker import NullFormatter

    # Scale of the setting.
    style_panel(axes, _short_name(key))
    names = dimension.names() if isinstance(dimension, Choice) else []
    if isinstance(dimension, Choice):
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-0.5, len(names) - 0.5)
    elif dimension.log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(which="minor", length=0)

    def positions(trials: list[FrozenTrial]) -> list[Any]:
        values = [trial.params[key] for trial in trials]
        return [names.index(value) for value in values] if names else values

    # Trials.
    axes.plot(positions(done), _values(done), "o", color=TRAINING, markersize=5)
    _draw_pruned(axes, positions(pruned), pruned)
    # Limits come after the points, which would move them.
    if isinstance(dimension, Range):
        margin = 0.0 if dimension.log else 0.03 * (dimension.high - dimension.low)
        axes.set_xlim(dimension.low - margin, dimension.high + margin)
    axes.set_ylabel(objective, color=INK, fontsize=9)


def _draw_pruned(axes: Axes, positions: list[Any], pruned: list[FrozenTrial]) -> None:
    axes.plot(positions, _values(pruned), "x", color=PRUNED, markersize=5, label="ended early")


def _values(trials: list[FrozenTrial]) -> list[float]:
    return [trial.value for trial in trials if trial.value is not None]


def _short_name(key: str) -> str:
    """Return the last part of a dotted key."""
    return key.rsplit(".", 1)[-1]
