"""A policy as it was at some time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy


class Snapshot:
    """A copy of a policy that learns no more.

    Args:
        policy: what is copied.
        timesteps: environment steps that it had learned from, summed over the environments.
        elo: its rating.

    Attributes:
        elo: its rating, which its results go on to change.
    """

    def __init__(self, policy: BasePolicy, timesteps: int, elo: float) -> None:
        self.policy = copy.deepcopy(policy)
        self.timesteps, self.elo = timesteps, elo
        for network in self.policy.modules():
            if hasattr(network, "optimizer"):
                del network.optimizer  # often twice as large as the policy itself
        self.policy.set_training_mode(False)

    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Sampled actions, shape (K, *action shape), for observations of shape (K, *observation shape)."""
        actions, _ = self.policy.predict(observations)
        return actions

    def state_dict(self) -> dict[str, Any]:
        """Everything that it takes to make it again."""
        return {"policy": self.policy.state_dict(), "timesteps": self.timesteps, "elo": self.elo}

    @classmethod
    def of_state(cls, policy: BasePolicy, state: Mapping[str, Any]) -> Snapshot:
        """The snapshot of a state, with the networks of a policy like that it was taken of."""
        snapshot = cls(policy, int(state["timesteps"]), float(state["elo"]))
        snapshot.policy.load_state_dict(state["policy"])
        return snapshot
