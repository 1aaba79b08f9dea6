"""Augmented Random Search (Mania et al. 2018, arXiv:1803.07055) with exact resume."""

from __future__ import annotations

from typing import Any, cast

import sb3_contrib
from stable_baselines3.common.callbacks import BaseCallback


class ARS(sb3_contrib.ARS):
    """ARS that calls `on_rollout_start` before it draws the candidates of an update.

    sb3-contrib draws candidates around the present weights first. A state that is saved or restored at the start of a
    rollout would then be in the middle of an update.
    """

    def _do_one_update(self, callback: BaseCallback, async_eval: Any) -> None:
        callback.on_rollout_start()
        super()._do_one_update(cast("BaseCallback", _StartedRollout(callback)), async_eval)


class _StartedRollout:
    """A callback whose `on_rollout_start` has been called already."""

    def __init__(self, callback: BaseCallback) -> None:
        self._callback = callback

    def on_rollout_start(self) -> None:
        """No-op: `ARS._do_one_update` has called it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._callback, name)
