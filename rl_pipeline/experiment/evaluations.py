"""Evaluations of a run: arrays of episodes, and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.experiment.atomic_files import OptionalFile, whole_file
from rl_pipeline.experiment.statistics import bootstrap_interval, interquartile_mean, wilson_interval


@dataclass(frozen=True)
class Episodes:
    """Episodes of one evaluation, in the order of their seeds.

    Attributes:
        returns: (n,) float, sum of the rewards of each.
        lengths: (n,) int, steps of each.
        successes: (n,) bool; None when the environment does not report success.
        lost: (n,) bool, True where the simulator was lost; such an episode says nothing about the agent.
    """

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    successes: NDArray[np.bool_] | None
    lost: NDArray[np.bool_]

    def rank(self) -> tuple[float, float]:
        """Return the key by which the best model is chosen: success rate, then mean return."""
        counted = ~self.lost
        if not counted.any():
            return (-np.inf, -np.inf)
        success = 0.0 if self.successes is None else float(self.successes[counted].mean())
        return (success, float(self.returns[counted].mean()))


@dataclass(frozen=True)
class EvaluationSummary:
    """Figures of an evaluation.

    Attributes:
        episodes: episodes counted; those of a lost simulator are not.
        mean_return: mean of the returns.
        sd_return: their standard deviation (of a sample); None for one episode.
        return_interval: 95% interval of the mean return, by bootstrap; None for one episode.
        iqm_return: interquartile mean of the returns.
        iqm_interval: its 95% interval, by bootstrap; None for one episode.
        mean_length: mean number of steps.
        success_rate: 0 to 1; None when the environment does not report it.
        success_interval: 95% interval of the success rate (Wilson 1927).
        lost: episodes not counted because their simulator was lost.
    """

    episodes: int
    mean_return: float
    sd_return: float | None
    return_interval: tuple[float, float] | None
    iqm_return: float
    iqm_interval: tuple[float, float] | None
    mean_length: float
    success_rate: float | None
    success_interval: tuple[float, float] | None
    lost: int


def summarise(*runs: Episodes) -> EvaluationSummary | None:
    """Return mean, spread and 95% intervals over all episodes; None when none counts.

    For several runs (repetitions with other seeds), the intervals of the return are those of one further run: they
    include the differences between runs. That of the success rate takes the episodes as one sample.
    """
    # Episodes of a lost simulator say nothing about the agent.
    returns = [run.returns[~run.lost] for run in runs if not run.lost.all()]
    if not returns:
        return None
    pooled = np.concatenate(returns)
    several = len(pooled) > 1
    told = [run.successes[~run.lost] for run in runs if run.successes is not None]
    successes = np.concatenate(told) if told else None
    return EvaluationSummary(
        episodes=len(pooled),
        mean_return=float(pooled.mean()),
        sd_return=float(pooled.std(ddof=1)) if several else None,
        return_interval=bootstrap_interval(returns) if several else None,
        iqm_return=float(interquartile_mean(pooled)),
        iqm_interval=bootstrap_interval(returns, interquartile_mean) if several else None,
        mean_length=float(np.concatenate([run.lengths[~run.lost] for run in runs]).mean()),
        success_rate=None if successes is None else float(successes.mean()),
        success_interval=None if successes is None else wilson_interval(int(successes.sum()), len(successes)),
        lost=int(sum(run.lost.sum() for run in runs)),
    )


class EvaluationLog:
    """The evaluations during training, kept as `evaluations.npz` in the format of Stable-Baselines3's EvalCallback.

    Arrays: `timesteps` (k,), `results` (k, n) returns, `ep_lengths` (k, n), `successes` (k, n) when reported, and
    `lost` (k, n), which is this package's own.
    """

    def __init__(self, path: Path) -> None:
        self._file = OptionalFile(path)
        self.timesteps: list[int] = []
        self.evaluations: list[Episodes] = []

    def go_back(self, timesteps: int) -> None:
        """Read the evaluations of the first `timesteps` steps from the file; later ones are dropped."""
        if not self._file.path.is_file():
            return
        with np.load(self._file.path, allow_pickle=False) as arrays:
            for index in np.flatnonzero(arrays["timesteps"] <= timesteps):
                successes = arrays["successes"][index] if "successes" in arrays else None
                episodes = Episodes(
                    arrays["results"][index], arrays["ep_lengths"][index], successes, arrays["lost"][index]
                )
                self.timesteps.append(int(arrays["timesteps"][index]))
                self.evaluations.append(episodes)

    def add(self, timesteps: int, episodes: Episodes) -> None:
        """Add an evaluation and rewrite the file; one that cannot be written costs a warning."""
        self.timesteps.append(timesteps)
        self.evaluations.append(episodes)
        arrays: dict[str, Any] = {
            "timesteps": np.array(self.timesteps),
            "results": np.stack([evaluation.returns for evaluation in self.evaluations]),
            "ep_lengths": np.stack([evaluation.lengths for evaluation in self.evaluations]),
            "lost": np.stack([evaluation.lost for evaluation in self.evaluations]),
        }
        successes = [evaluation.successes for evaluation in self.evaluations if evaluation.successes is not None]
        if len(successes) == len(self.evaluations):
            arrays["successes"] = np.stack(successes)
        self._file.attempt(lambda: self._write(arrays))

    def _write(self, arrays: dict[str, Any]) -> None:
        with whole_file(self._file.path) as temporary:
            np.savez(temporary, **arrays)
