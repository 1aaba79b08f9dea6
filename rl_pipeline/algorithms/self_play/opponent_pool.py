"""Who plays against a policy that learns: itself, and what it was."""

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

STEP: Final = 8.0
"""Points that the result of one episode can move a rating by, at the most (K)."""


def expected_score(rating: float, opponent: float) -> float:
    """The mean result of the first against the second: 1 it always wins, 0 it always loses."""
    return float(1.0 / (1.0 + 10.0 ** ((opponent - rating) / 400.0)))


def points_won(rating: float, opponent: float, result: float) -> float:
    """What the first gains and the second loses by a result of 1 (the first has won), 0.5 or 0."""
    return STEP * (result - expected_score(rating, opponent))


Preprocess = Callable[[Any], Any]
"""From observations, shape (N, ...), to what a policy sees of them."""

RECENT: Final = 200
"""Results that the win rate is the mean of."""


class OpponentPool:
    """Opponents of N environments: each is played by the policy as it is, or by one of its last snapshots.

    Args:
        settings: how often snapshots are taken, how many are kept, and how often they play.
        num_envs: N.
        seed: of the draws.

    Attributes:
        elo: rating of the policy that learns.
        snapshots: those that are kept, the last ones, oldest first.
        results: of the last episodes against snapshots: 1 won, 0.5 drawn, 0 lost.
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
        self.results: deque[float] = deque(maxlen=RECENT)

    def follow(self, learner: BasePolicy, preprocess: Preprocess | None = None) -> None:
        """Name the policy that learns; to be called before the first episode.

        Args:
            learner: the policy.
            preprocess: what is done to observations before it sees them, such as normalising them; None: nothing.

        Raises:
            InputError: the policy remembers what it has seen, which is not kept for opponents.
        """
        if isinstance(learner, RecurrentActorCriticPolicy):
            raise InputError("training.self_play: recurrent policies cannot be opponents yet; use ppo, sac or another")
        self._learner, self._preprocess = learner, preprocess

    def update(self, timesteps: int) -> bool:
        """Take a snapshot when one is due after so many environment steps; whether one was taken."""
        if timesteps < self._next_snapshot:
            return False
        self._next_snapshot = timesteps + self._settings.save_steps
        self.snapshots.append(Snapshot(self._policy, timesteps, self.elo))
        return True

    def begin(self, environments: NDArray[np.intp]) -> None:
        """Draw the opponents of the episodes that begin, where the last ones have played for long enough."""
        if not self.snapshots:
            self.update(0)
        for index in environments.tolist():
            if self._steps[index] >= self._settings.swap_steps:
                self._steps[index] = 0
                self._playing[index] = self._drawn()

    def act(self, observations: Observations) -> NDArray[Any]:
        """Actions of all opponents, shape (N, *action shape): one pass for each policy that plays somewhere."""
        self._steps += 1
        if self._preprocess is not None:
            observations = self._preprocess(observations)
        actions: NDArray[Any] | None = None
        for opponent in dict.fromkeys(self._playing):
            rows = [index for index, playing in enumerate(self._playing) if playing is opponent]
            own = take_rows(observations, rows)
            part = self._policy.predict(own)[0] if opponent is None else opponent.act(own)
            if actions is None:
                actions = np.empty((len(self._playing), *part.shape[1:]), part.dtype)
            actions[rows] = part
        assert actions is not None, "there are environments"
        return actions

    def end(self, environments: NDArray[np.intp], results: NDArray[np.float64]) -> None:
        """Rate what the learner and snapshots have made of these episodes; playing itself says nothing of it."""
        for index, result in zip(environments.tolist(), results.tolist(), strict=True):
            opponent = self._playing[index]
            if opponent is not None:
                points = points_won(self.elo, opponent.elo, result)
                self.elo += points
                opponent.elo -= points
                self.results.append(result)

    def state_dict(self) -> dict[str, Any]:
        """Everything that it takes to go on, as arrays and JSON values."""
        # A snapshot that is no longer kept may still play somewhere.
        kept = list(dict.fromkeys([*self.snapshots, *(one for one in self._playing if one is not None)]))
        arrays = {
            f"{index}.{name}": array
            for index, snapshot in enumerate(kept)
            for name, array in snapshot.parameters().items()
        }
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
        """Go on where the state was taken."""
        kept = []
        for index, (timesteps, elo) in enumerate(state["snapshots"]):
            start = f"{index}."
            parameters = {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}
            kept.append(Snapshot.of(self._policy, parameters, timesteps, elo))
        self.elo = float(state["elo"])
        self.snapshots = deque(kept[: state["window"]], maxlen=self._settings.window)
        if len(state["playing"]) == len(self._playing):
            self._playing = [None if index < 0 else kept[index] for index in state["playing"]]
            self._steps[:] = state["steps"]
        self._next_snapshot = int(state["next_snapshot"])
        self.results = deque(state["results"], maxlen=RECENT)
        self._rng.bit_generator.state = state["rng"]

    @property
    def _policy(self) -> BasePolicy:
        assert self._learner is not None, "follow() comes first"
        return self._learner

    def _drawn(self) -> Snapshot | None:
        """The learner itself (None), or any snapshot with the same probability."""
        if self._rng.random() < self._settings.play_against_latest_model_ratio:
            return None
        return self.snapshots[int(self._rng.integers(len(self.snapshots)))]
