"""The one callback that Stable-Baselines3 sees: it calls what has to be done after each step."""

from __future__ import annotations

from collections.abc import Callable

from stable_baselines3.common.callbacks import BaseCallback


class StepCallback(BaseCallback):
    """Calls each action with the environment steps so far, summed over the environments.

    An action ends the training by raising: every algorithm passes an exception on, but not every one looks at a
    callback's return value (ARS does not).
    """

    def __init__(self, *actions: Callable[[int], None]) -> None:
        super().__init__()
        self._actions = actions

    def _on_step(self) -> bool:
        for action in self._actions:
            action(self.num_timesteps)
        return True
