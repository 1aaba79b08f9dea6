"""Augmented Random Search (Mania et al. 2018) that can be resumed exactly."""

from __future__ import annotations

from typing import Any, cast

import sb3_contrib
from stable_baselines3.common.callbacks import BaseCallback


class ARS(sb3_contrib.ARS):
    """ARS whose rollouts begin before their candidates are drawn.

    sb3-contrib draws the candidates around the present weights first. A state that is saved or restored at the start of
    the rollout would then lie in the middle of an update.
    """

    def _do_one_update(self, callback: BaseCallback, async_eval: Any) -> None:
        callback.on_rollout_start()
        super()._do_one_update(cast("BaseCallback", _Begun(callback)), async_eval)


class _Begun:
    """A callback in a rollout that has begun."""

    def __init__(self, callback: BaseCallback) -> None:
        self._callback = callback

    def on_rollout_start(self) -> None:
        """No-op: it was called already."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._callback, name)
