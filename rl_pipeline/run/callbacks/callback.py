"""Base class of the parts that accompany a training, and the sequence in which Stable-Baselines3 calls them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from rl_pipeline.experiment.checkpoints.run_state import Stateful


class RunCallback(BaseCallback):
    """A callback of Stable-Baselines3 with the phases of a run by name; a subclass overrides those that it needs.

    1. `restored`: once, in a resumed run, after every part has loaded its state.
    2. `before_rollout`: before steps are collected, when the policy has learned from all steps so far.
    3. `after_step`: after each step of the environments.
    4. `at_end`: after `learn` has returned, and with it the last update; not after an exception.

    Every phase gets the environment steps so far, summed over the environments. `init_callback` sets `model`; it is
    called when the run is built and by `learn` again, so `_init_callback` must allow for two calls.

    A phase ends the training by raising: every algorithm passes an exception on, but not every one looks at a
    callback's return value (ARS does not).

    A callback with a state has `state_dict` and `load_state_dict` (see `Stateful`) and a `name`.
    """

    name: ClassVar[str] = ""
    """Key of the callback's state in the state files of a run."""

    def restored(self, timesteps: int) -> None:
        """Continue at the restored step."""

    def before_rollout(self, timesteps: int) -> None:
        """Act between two rollouts; episodes may be restarted here."""

    def after_step(self, timesteps: int) -> None:
        """Act after one step of all environments; on the hot path."""

    def at_end(self, timesteps: int) -> None:
        """Act on the trained model."""

    def _on_rollout_start(self) -> None:
        # Not self.num_timesteps: an earlier callback may have restored the model to another step.
        self.before_rollout(self.model.num_timesteps)

    def _on_step(self) -> bool:
        self.after_step(self.num_timesteps)
        return True


class CallbackSequence(CallbackList):
    """The callbacks of one run: in every phase the run's own, in the order given, then the user's.

    Args:
        own: the run's own callbacks.
        others: callbacks written for Stable-Baselines3, by the name of their state.
    """

    def __init__(self, own: Sequence[RunCallback], others: dict[str, BaseCallback]) -> None:
        super().__init__([*own, *others.values()])
        self._own = own
        self._others = others
        # Resolve once which callbacks act after a step; the rest cost nothing there.
        self._after_step = [each.after_step for each in own if type(each).after_step is not RunCallback.after_step]

    @property
    def parts(self) -> dict[str, Stateful]:
        """The callbacks with a state, by name."""
        named = {each.name: each for each in self._own} | self._others
        return {name: each for name, each in named.items() if isinstance(each, Stateful)}

    def at_end(self, timesteps: int) -> None:
        """Run the last phase."""
        for callback in self._own:
            callback.at_end(timesteps)

    def _on_step(self) -> bool:
        for after_step in self._after_step:
            after_step(self.num_timesteps)
        go_on = True
        for callback in self._others.values():
            go_on = callback.on_step() and go_on
        return go_on

    def update_child_locals(self, locals_: dict[str, Any]) -> None:
        """Hand the variables of the training loop to the callbacks that may use them."""
        for callback in self._others.values():
            callback.update_locals(locals_)
