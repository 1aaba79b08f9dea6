"""What a sweep leaves behind for people: a table, a picture, and the configuration of the best trial."""

from __future__ import annotations

import csv
import io

from optuna.trial import FrozenTrial, TrialState

from rl_pipeline.config import NO_MACHINE_FILE, load_config, render_config
from rl_pipeline.experiment.writing import write_text
from rl_pipeline.run.sweeps.folder import SweepFolder
from rl_pipeline.run.sweeps.picture import draw_sweep
from rl_pipeline.run.sweeps.study import STATES, SweepStudy


def write_results(study: SweepStudy, folder: SweepFolder, objective: str) -> None:
    """Write all of it, of the trials so far."""
    write_text(folder.table, table_of(study, folder, objective))
    if (best := study.best) is not None:
        write_text(folder.best, best_config(study, folder, best, objective))
    draw_sweep(folder.picture, study.trials, study.space, study.importances(), objective)


def table_of(study: SweepStudy, folder: SweepFolder, objective: str) -> str:
    """CSV, a line a trial: its state, the objective at its end, its last evaluation, what it used, its folder."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("trial", "state", objective, "evaluations", "last_evaluation", *study.space.dimensions, "folder"))
    for trial in study.trials:
        evaluations = sorted(trial.intermediate_values.items())
        experiment = folder.trial(trial.number)
        writer.writerow((
            trial.number, STATES[trial.state], trial.value if trial.state == TrialState.COMPLETE else "",
            len(evaluations), evaluations[-1][1] if evaluations else "",
            *(trial.params.get(key, "") for key in study.space.dimensions),
            experiment.path.relative_to(folder.path) if experiment else "",
        ))  # fmt: skip
    return text.getvalue()


def best_config(study: SweepStudy, folder: SweepFolder, best: FrozenTrial, objective: str) -> str:
    """YAML of the best trial as an experiment of its own, with the videos that trials go without."""
    sampled = study.space.layer(study.space.suggest(best))
    config = load_config(config_file=folder.config, machine_file=NO_MACHINE_FILE, sampled=sampled)
    experiment = config.experiment.model_copy(update={"name": f"{folder.path.name}_best"})
    text = render_config(config.model_copy(update={"experiment": experiment}))
    return f"# Trial {best.number} of {folder.path.name}: {objective} {best.value:.4g}\n{text}"
