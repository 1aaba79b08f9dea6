"""Figures of merit and their intervals, from few runs of many episodes.

After Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS 2021): the
interquartile mean is less moved by single episodes than the mean, and uses more of them than the median.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES: Final = 2000
COVERED: Final = 95.0
_T_975: Final = (
    np.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042, 2.0,
)  # fmt: skip
"""Quantiles of Student's t by its degrees of freedom; from 31 on a little too wide rather than too narrow."""


def mean(values: Floats) -> Floats:
    """Mean over the last axis: (..., n) to (...)."""
    means: Floats = values.mean(axis=-1)
    return means


def interquartile_mean(values: Floats) -> Floats:
    """Mean of the middle half over the last axis, (..., n) to (...): n // 4 values are cut on each side."""
    cut = values.shape[-1] // 4
    ordered = np.sort(values, axis=-1)
    means: Floats = ordered[..., cut : values.shape[-1] - cut].mean(axis=-1)
    return means


def bootstrap_interval(
    runs: Sequence[Floats], statistic: Callable[[Floats], Floats] = mean, *, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Percentile bootstrap of a statistic over all episodes, 95 %.

    For several runs, runs are drawn first and then episodes of each, so that differences between runs count. A fixed
    seed makes the same episodes give the same interval.

    Args:
        runs: (n,) values of the episodes of each run; not one of them empty.
        statistic: of the last axis.
        resamples: number of samples.
    """
    generator = np.random.default_rng(0)
    if len(runs) == 1:
        figures = statistic(_resampled(runs[0], resamples, generator))
    else:
        # A sample has as many runs as there are, each with its own number of episodes.
        figures = np.array([_redrawn(runs, statistic, generator) for _ in range(resamples)])
    low, high = np.percentile(figures, [50 - COVERED / 2, 50 + COVERED / 2])
    return float(low), float(high)


def student_interval(values: Floats) -> tuple[float, float]:
    """95 % interval of the mean of a few independent figures, (n,) with n > 1, such as one of each run."""
    middle, spread = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    factor = _T_975[min(len(values) - 1, len(_T_975) - 1)]
    return middle - factor * spread, middle + factor * spread


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a rate by Wilson (1927); unlike the bootstrap's it is no single point at 0 % and 100 %."""
    z = 1.959964
    rate = successes / trials
    centre = rate + z * z / (2 * trials)
    spread = z * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, float((centre - spread) / scale)), min(1.0, float((centre + spread) / scale))


def _redrawn(runs: Sequence[Floats], statistic: Callable[[Floats], Floats], generator: np.random.Generator) -> float:
    drawn = generator.integers(len(runs), size=len(runs))
    return float(statistic(np.concatenate([_resampled(runs[index], 1, generator)[0] for index in drawn])))


def _resampled(values: Floats, count: int, generator: np.random.Generator) -> Floats:
    return generator.choice(values, (count, len(values)))
