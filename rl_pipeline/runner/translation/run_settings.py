"""What the runner itself does with a run: where its folder is, when it is won, how it is played."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rl_pipeline.config import Config

TRAIN_DIR: Final = Path("runs")


@dataclass(frozen=True)
class RunSettings:
    """Settings that the project's own configuration has no place for.

    Attributes:
        name: of the networks under `nn/`.
        frames_per_epoch: environment steps, summed over the actors, between two updates.
        train_dir: where the folders of runs are.
        full_name: of the run's folder; None: environment, algorithm and time.
        score_to_win: mean return of the latest episodes that ends the training; None: none does.
        save_best_after: epochs before which it does not.
        games: episodes that `--play` plays.
        render: whether it opens a window.
        print_games: whether it prints a line a game.
        observer: name of the observer; None: the one that Runner was given, or else the default one.
    """

    name: str
    frames_per_epoch: int
    train_dir: Path = TRAIN_DIR
    full_name: str | None = None
    score_to_win: float | None = None
    save_best_after: int = 0
    games: int = 100
    render: bool = False
    print_games: bool = True
    observer: str | None = None

    @classmethod
    def of_experiment(cls, config: Config) -> RunSettings:
        """Those of an experiment file of the project."""
        steps = config.algorithm.parameters.get("n_steps", 1)
        frames = (steps if isinstance(steps, int) else 1) * config.simulation.n_environments
        return cls(config.experiment.name, frames, games=config.evaluation.num_episodes)
