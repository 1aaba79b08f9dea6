"""A policy as it was at some time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from rl_pipeline.envs.observations import Observations


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

    def act(self, observations: Observations) -> NDArray[Any]:
        """Sampled actions, shape (K, *action shape), for observations of shape (K, *observation shape)."""
        actions, _ = self.policy.predict(observations)
        return actions

    def parameters(self) -> dict[str, NDArray[Any]]:
        """The parameters of its networks by name."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.policy.state_dict().items()}

    @classmethod
    def of(cls, policy: BasePolicy, parameters: Mapping[str, NDArray[Any]], timesteps: int, elo: float) -> Snapshot:
        """The snapshot with these parameters of a policy like that it was taken of."""
        snapshot = cls(policy, timesteps, elo)
        snapshot.policy.load_state_dict({name: torch.as_tensor(array) for name, array in parameters.items()})
        return snapshot
