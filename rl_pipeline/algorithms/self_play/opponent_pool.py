"""Opponents of a policy in self-play: the policy itself and snapshots of it, with Elo ratings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from stable_baselines3.common.policies import BasePolicy

from rl_pipeline.algorithms.self_play.snapshot import Snapshot
from rl_pipeline.config.schema import SelfPlayConfig
from rl_pipeline.envs.observations import Observations, take_rows
from rl_pipeline.errors import InputError

K_FACTOR: Final = 8.0
"""Elo: largest change of a rating by one episode."""

MAX_RESULTS: Final = 200
"""Number of results in the win rate."""

Preprocess = Callable[[Any], Any]
"""Function from observations of the environments, shape (N, ...), to observations of a policy."""


def expected_score(rating: float, opponent: float) -> float:
    """Return the expected result by Elo's model, from 0 (always loses) to 1 (always wins).

    A difference of 400 points means odds of 10 to 1 (Elo 1978, "The Rating of Chessplayers").
    """
    return float(1.0 / (1.0 + 10.0 ** ((opponent - rating) / 400.0)))


def points_won(rating: float, opponent: float, result: float) -> float:
    """Return the points that the first player gains and the second loses by a result of 1 (win), 0.5 or 0."""
    return K_FACTOR * (result - expected_score(rating, opponent))


class OpponentPool:
    """Opponents of N environments: each is the present policy or one of its last snapshots.

    Args:
        settings: intervals of snapshots and swaps, size of the window, and share of the present policy.
        num_envs: N.
        seed: seed of the random choice of opponents.

    Attributes:
        elo: rating of the learning policy.
        snapshots: the last snapshots, oldest first.
        results: results of the last episodes against snapshots: 1 won, 0.5 drawn, 0 lost.
    """

    def __init__(self, settings: SelfPlayConfig, num_envs: int, seed: int) -> None:
        self._settings = settings
        self._rng = np.random.default_rng((seed, num_envs))
        self._learner: BasePolicy | None = None
        self._preprocess: Preprocess | None = None
        self._playing: list[Snapshot | None] = [None] * num_envs
        self._steps: NDArray[np.int64] = np.full(num_envs, settings.swap_steps)
        self._next_snapshot = 0
        self.elo = settings.initial_elo
        self.snapshots: deque[Snapshot] = deque(maxlen=settings.window)
        self.results: deque[float] = deque(maxlen=MAX_RESULTS)

    def follow(self, learner: BasePolicy, preprocess: Preprocess | None = None) -> None:
        """Set the learning policy, before the first episode.

        Args:
            learner: the policy.
            preprocess: applied to observations before the policy gets them, such as normalisation; None: nothing.

        Raises:
            InputError: the policy is recurrent; hidden states of opponents are not kept.
        """
        if isinstance(learner, RecurrentActorCriticPolicy):
            raise InputError("training.self_play: recurrent policies cannot be opponents yet; use ppo, sac or another")
        self._learner = learner
        self._preprocess = preprocess

    def update(self, timesteps: int) -> bool:
        """Take a snapshot if one is due after `timesteps` environment steps; return True if one was taken."""
        if timesteps < self._next_snapshot:
            return False
        self._next_snapshot = timesteps + self._settings.save_steps
        self.snapshots.append(Snapshot(self._policy, timesteps, self.elo))
        return True

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Draw new opponents for starting episodes, in environments whose opponent has played `swap_steps` steps."""
        if not self.snapshots:
            self.update(0)
        for index in environments.tolist():
            if self._steps[index] >= self._settings.swap_steps:
                self._steps[index] = 0
                self._playing[index] = self._draw_opponent()

    def act(self, observations: Observations) -> NDArray[Any]:
        """Return the actions of all opponents, shape (N, *action shape), with one forward pass for each policy."""
        self._steps += 1
        if self._preprocess is not None:
            observations = self._preprocess(observations)
        actions: NDArray[Any] | None = None
        # One batch for each distinct opponent; None is the learner itself.
        for opponent in dict.fromkeys(self._playing):
            rows = [index for index, playing in enumerate(self._playing) if playing is opponent]
            own = take_rows(observations, rows)
            part = self._policy.predict(own)[0] if opponent is None else opponent.act(own)
            if actions is None:
                actions = np.empty((len(self._playing), *part.shape[1:]), part.dtype)
            actions[rows] = part
        assert actions is not None, "at least one environment"
        return actions

    def end(self, environments: NDArray[np.intp], results: NDArray[np.float64]) -> None:
        """Update ratings by the results of finished episodes; those of the learner against itself do not count."""
        for index, result in zip(environments.tolist(), results.tolist(), strict=True):
            opponent = self._playing[index]
            if opponent is not None:
                points = points_won(self.elo, opponent.elo, result)
                self.elo += points
                opponent.elo -= points
                self.results.append(result)

    def state_dict(self) -> dict[str, Any]:
        """Return the state as arrays and JSON values."""
        # A snapshot that has left the window may still play in an environment.
        kept = list(dict.fromkeys([*self.snapshots, *(one for one in self._playing if one is not None)]))
        arrays = {
            f"{index}.{name}": array
            for index, snapshot in enumerate(kept)
            for name, array in snapshot.parameters().items()
        }
        # Snapshots are referred to by their index in `kept`; -1 is the learner.
        return {
            **arrays,
            "elo": self.elo,
            "snapshots": [[snapshot.timesteps, snapshot.elo] for snapshot in kept],
            "window": len(self.snapshots),
            "playing": [-1 if one is None else kept.index(one) for one in self._playing],
            "steps": self._steps.tolist(),
            "next_snapshot": self._next_snapshot,
            "results": list(self.results),
            "rng": self._rng.bit_generator.state,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state of `state_dict`; environments draw new opponents if their number has changed."""
        # Snapshots: the arrays are named `<index>.<parameter>`.
        kept = []
        for index, (timesteps, elo) in enumerate(state["snapshots"]):
            start = f"{index}."
            parameters = {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}
            kept.append(Snapshot.of(self._policy, parameters, timesteps, elo))
        # Ratings, window, and opponents of running episodes.
        self.elo = float(state["elo"])
        self.snapshots = deque(kept[: state["window"]], maxlen=self._settings.window)
        if len(state["playing"]) == len(self._playing):
            self._playing = [None if index < 0 else kept[index] for index in state["playing"]]
            self._steps[:] = state["steps"]
        self._next_snapshot = int(state["next_snapshot"])
        self.results = deque(state["results"], maxlen=MAX_RESULTS)
        self._rng.bit_generator.state = state["rng"]

    @property
    def _policy(self) -> BasePolicy:
        assert self._learner is not None, "call follow() first"
        return self._learner

    def _draw_opponent(self) -> Snapshot | None:
        """Draw the learner itself (None) with the configured probability, else a snapshot uniformly."""
        if self._rng.random() < self._settings.play_against_latest_model_ratio:
            return None
        return self.snapshots[int(self._rng.integers(len(self.snapshots)))]
