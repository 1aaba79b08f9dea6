"""The result of a training, and its report on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from rl_pipeline.evaluation.report import evaluation_rows, print_rows
from rl_pipeline.experiment.evaluations import EvaluationSummary
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.plurals import plural


@dataclass(frozen=True)
class TrainingResult:
    """Figures and files of a training that ended.

    Attributes:
        folder: the experiment folder.
        timesteps: environment steps taken so far, summed over the environments.
        seconds: wall time of this command, evaluation and video included.
        interrupted: a signal ended the training early; then there is no evaluation.
        evaluation: of the best model, on unseen seeds.
        video: the best model at work; None when the environment draws nothing.
        start: environment steps that earlier commands had taken.
        environments: number of training environments and the source of that number.
    """

    folder: ExperimentFolder
    timesteps: int
    seconds: float
    interrupted: bool
    evaluation: EvaluationSummary | None = None
    video: Path | None = None
    start: int = 0
    environments: str | None = None


def print_training_report(result: TrainingResult, console: Console) -> None:
    """Print the paths of model, video and curves, and the figures of the best model."""
    # Files that exist.
    folder = result.folder
    speed = (result.timesteps - result.start) / max(result.seconds, 1e-9)
    files = {
        "model": folder.model,
        "best model": folder.best_model,
        "video": result.video,
        "curves": folder.curves,
        "all files": folder.path,
    }
    rows = [(name, str(path)) for name, path in files.items() if path is not None and path.exists()]
    # Figures of the training and of its evaluation.
    steps = f"{result.timesteps:,} {plural(result.timesteps, 'step')}"
    rows.append(("training", f"{steps}, {result.seconds:.0f} s in all ({speed:,.0f} steps/s)"))
    if result.environments is not None:
        rows.append(("environments", result.environments))
    if result.evaluation is not None:
        rows.extend(evaluation_rows(result.evaluation))
    if result.interrupted:
        rows.append(("go on with", folder.resume_command))
    # An interrupted run can be resumed.
    title = "interrupted; everything is saved" if result.interrupted else "trained"
    print_rows(title, rows, console, "yellow" if result.interrupted else "green")
