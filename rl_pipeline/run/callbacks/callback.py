"""The one callback that Stable-Baselines3 sees: it calls what has to be done after each step, and before rollouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stable_baselines3.common.callbacks import BaseCallback


class StepCallback(BaseCallback):
    """Calls actions with the environment steps so far, summed over the environments.

    Args:
        after_step: called after each step.
        before_rollout: called before steps are collected, when the policy has learned from those before.

    An action ends the training by raising: every algorithm passes an exception on, but not every one looks at a
    callback's return value (ARS does not).
    """

    def __init__(
        self, after_step: Sequence[Callable[[int], None]], before_rollout: Sequence[Callable[[int], None]]
    ) -> None:
        super().__init__()
        self._after_step, self._before_rollout = after_step, before_rollout

    def _on_rollout_start(self) -> None:
        for action in self._before_rollout:
            # Not self.num_timesteps: an action may have restored the model to another step.
            action(self.model.num_timesteps)

    def _on_step(self) -> bool:
        for action in self._after_step:
            action(self.num_timesteps)
        return True
