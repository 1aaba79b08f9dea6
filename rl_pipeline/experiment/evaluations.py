"""The evaluations of a run: arrays of episodes, and what they say of the agent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_pipeline.experiment.writing import whole_file

RESAMPLES = 2000


@dataclass(frozen=True)
class Episodes:
    """The episodes of one evaluation, in the order of their seeds.

    Attributes:
        returns: (n,) float, sum of the rewards of each.
        lengths: (n,) int, steps of each.
        successes: (n,) bool; None when the environment does not report success.
        lost: (n,) bool, whether the simulator was lost; such an episode says nothing about the agent.
    """

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    successes: NDArray[np.bool_] | None
    lost: NDArray[np.bool_]

    def rank(self) -> tuple[float, float]:
        """What the best model is chosen by: success rate, then mean return."""
        counted = ~self.lost
        if not counted.any():
            return (-np.inf, -np.inf)
        success = 0.0 if self.successes is None else float(self.successes[counted].mean())
        return (success, float(self.returns[counted].mean()))


@dataclass(frozen=True)
class EvaluationSummary:
    """What an evaluation found.

    Attributes:
        episodes: episodes counted; those of a lost simulator are not.
        mean_return: mean of the returns.
        sd_return: their standard deviation (of a sample); None for one episode.
        return_interval: 95% interval of the mean return, by bootstrap; None for one episode.
        mean_length: mean number of steps.
        success_rate: 0 to 1; None when the environment does not report it.
        success_interval: 95% interval of the success rate (Wilson 1927).
        lost: episodes not counted because their simulator was lost.
    """

    episodes: int
    mean_return: float
    sd_return: float | None
    return_interval: tuple[float, float] | None
    mean_length: float
    success_rate: float | None
    success_interval: tuple[float, float] | None
    lost: int


def summarise(episodes: Episodes) -> EvaluationSummary | None:
    """Mean, spread and 95% intervals; None when not one episode counts."""
    counted = ~episodes.lost
    returns = episodes.returns[counted]
    if not len(returns):
        return None
    several = len(returns) > 1
    successes = None if episodes.successes is None else episodes.successes[counted]
    return EvaluationSummary(
        episodes=len(returns),
        mean_return=float(returns.mean()),
        sd_return=float(returns.std(ddof=1)) if several else None,
        return_interval=_bootstrap_interval(returns) if several else None,
        mean_length=float(episodes.lengths[counted].mean()),
        success_rate=None if successes is None else float(successes.mean()),
        success_interval=None if successes is None else _wilson_interval(int(successes.sum()), len(successes)),
        lost=int(episodes.lost.sum()),
    )


def _bootstrap_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Percentile bootstrap of the mean; its own fixed seed makes the same episodes give the same interval."""
    generator = np.random.default_rng(0)
    means = [generator.choice(values, len(values)).mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    z = 1.959964
    rate = successes / trials
    centre = rate + z * z / (2 * trials)
    spread = z * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, float((centre - spread) / scale)), min(1.0, float((centre + spread) / scale))


class EvaluationLog:
    """The evaluations during training, kept as `evaluations.npz` in the format of Stable-Baselines3's EvalCallback.

    Arrays: `timesteps` (k,), `results` (k, n) returns, `ep_lengths` (k, n), `successes` (k, n) when reported, and
    `lost` (k, n), which is this package's own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.timesteps: list[int] = []
        self.evaluations: list[Episodes] = []

    def go_back(self, timesteps: int) -> None:
        """Take up what the file has of the first `timesteps` steps; the evaluations after are forgotten."""
        if not self._path.is_file():
            return
        with np.load(self._path, allow_pickle=False) as arrays:
            for index in np.flatnonzero(arrays["timesteps"] <= timesteps):
                successes = arrays["successes"][index] if "successes" in arrays else None
                episodes = Episodes(
                    arrays["results"][index], arrays["ep_lengths"][index], successes, arrays["lost"][index]
                )
                self.timesteps.append(int(arrays["timesteps"][index]))
                self.evaluations.append(episodes)

    def add(self, timesteps: int, episodes: Episodes) -> None:
        """Add an evaluation and write the file anew."""
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
        with whole_file(self._path) as temporary:
            np.savez(temporary, **arrays)
