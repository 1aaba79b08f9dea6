"""The statistics of Stable-Baselines3's `VecNormalize` as plain arrays: taken out, put in, handed over.

Arrays: `observations.mean`, `observations.var`, `observations.count` (with `observations/<key>` for dictionary
observations), and the same of `returns`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecEnv, VecNormalize, unwrap_vec_normalize

from rl_pipeline.errors import InputError

FIELDS = ("mean", "var", "count")


def statistics(normalizer: VecNormalize) -> dict[str, NDArray[np.float64]]:
    """What the normaliser has learned so far, as copies."""
    return {
        f"{name}.{field}": np.array(getattr(running, field), dtype=np.float64)
        for name, running in _running(normalizer)
        for field in FIELDS
    }


def load_statistics(normalizer: VecNormalize | None, arrays: dict[str, NDArray[np.float64]], where: str) -> None:
    """Have the normaliser go on from these statistics.

    Raises `InputError` naming `where` when one side has a normaliser and the other has not, or their shapes differ.
    """
    if normalizer is None:
        if arrays:
            raise InputError(f"{where} was trained with wrappers.normalize, which this configuration does not have")
        return
    if not arrays:
        raise InputError(f"{where} was trained without wrappers.normalize, which this configuration has")
    for name, running in _running(normalizer):
        try:
            mean, var, count = (arrays[f"{name}.{field}"] for field in FIELDS)
        except KeyError as error:
            raise InputError(f"{where} normalises other things: it has no statistics of {name}") from error
        if mean.shape != running.mean.shape:
            raise InputError(f"{where}: statistics of {name} have shape {mean.shape}, expected {running.mean.shape}")
        running.mean, running.var, running.count = mean.copy(), var.copy(), float(count)


def hand_over_statistics(source: VecEnv, target: VecEnv) -> None:
    """Give the normaliser of `target` what that of `source` has learned; without normalisers, do nothing."""
    giver, taker = unwrap_vec_normalize(source), unwrap_vec_normalize(target)
    if giver is not None and taker is not None:
        load_statistics(taker, statistics(giver), "the training environment")


def _running(normalizer: VecNormalize) -> Iterator[tuple[str, RunningMeanStd]]:
    if normalizer.norm_obs:
        observations: Any = normalizer.obs_rms
        if isinstance(observations, dict):
            yield from ((f"observations/{key}", running) for key, running in observations.items())
        else:
            yield "observations", observations
    yield "returns", normalizer.ret_rms
