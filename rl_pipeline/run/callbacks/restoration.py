"""The state of a run: its parts by name, and their restoration in a resumed run."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.experiment.checkpoints.learner_state import LearnerState, RandomState
from rl_pipeline.experiment.checkpoints.replay_buffer import ReplayBufferState
from rl_pipeline.experiment.checkpoints.run_state import State, Stateful
from rl_pipeline.run.callbacks.callback import RunCallback
from rl_pipeline.run.episodes import restart_episodes


class RunParts(MutableMapping[str, Stateful]):
    """Everything that a resumed run must find as it was, by name, in the order of its restoration.

    The random generators come last, even after later additions: the restoration of other parts may draw from them.

    Args:
        model: the model in training.
        config_text: text of the configuration, kept inside the model's file.
    """

    def __init__(self, model: BaseAlgorithm, config_text: str) -> None:
        self._parts: dict[str, Stateful] = {"learner": LearnerState(model, config_text)}
        if isinstance(model, OffPolicyAlgorithm):
            self._parts["replay_buffer"] = ReplayBufferState(model)
        self._random = {"random": RandomState(model)}

    def __getitem__(self, name: str) -> Stateful:
        return {**self._parts, **self._random}[name]

    def __setitem__(self, name: str, part: Stateful) -> None:
        self._parts[name] = part

    def __delitem__(self, name: str) -> None:
        del self._parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._parts, *self._random])

    def __len__(self) -> int:
        return len(self._parts) + len(self._random)


class Restoration(RunCallback):
    """Restores every part of a run from the checkpoint, once, before the first rollout.

    Not before `learn`: the library draws exploration noise (gSDE) and resets the environments there before the first
    rollout, and callbacks prepare themselves in `on_training_start`. A state loaded earlier would be changed by that.

    Args:
        states: the state of each part; empty: a new run.
        parts: the parts of this run.
        callbacks: their `restored` is called when all parts are loaded.
        seed: the run's seed.
        total: environment steps at which the run is complete.
    """

    def __init__(
        self, states: dict[str, State], parts: RunParts, callbacks: Sequence[RunCallback], seed: int, total: int
    ) -> None:
        super().__init__()
        self._states = states
        self._parts = parts
        self._callbacks = callbacks
        self._seed = seed
        self._total = total

    @property
    def is_pending(self) -> bool:
        """A resumed run that has not been restored yet: its last state on disk is newer than the model."""
        return bool(self._states)

    def before_rollout(self, timesteps: int) -> None:
        """Restore the run if that is still to be done."""
        self.restore()

    def restore(self) -> None:
        """Load every part that the state has, and restart the episodes there; a no-op from the second call on."""
        if not self._states:
            return
        states = self._states
        self._states = {}
        # Load the parts, the random generators last.
        for name, part in self._parts.items():
            if name in states:
                part.load_state_dict(states[name])
        # From here the model says which step this is.
        timesteps = self.model.num_timesteps
        for callback in self._callbacks:
            callback.restored(timesteps)
        # Of a complete run no episode is started: its first observation would count in a normaliser.
        if timesteps < self._total:
            restart_episodes(self.model, self._seed)
