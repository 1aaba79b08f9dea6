"""Snapshots: frozen copies of a policy, each with its Elo rating."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from rl_pipeline.envs.observations import Observations


class Snapshot:
    """A frozen copy of a policy.

    Args:
        policy: the policy to copy.
        timesteps: environment steps that the policy had learned from, summed over the environments.
        elo: its rating.

    Attributes:
        elo: its rating, which its later results change.
    """

    def __init__(self, policy: BasePolicy, timesteps: int, elo: float) -> None:
        self.policy = copy.deepcopy(policy)
        self.timesteps = timesteps
        self.elo = elo
        for network in self.policy.modules():
            if hasattr(network, "optimizer"):
                del network.optimizer  # often twice as large as the policy itself
        self.policy.set_training_mode(False)

    def act(self, observations: Observations) -> NDArray[Any]:
        """Sample actions, shape (K, *action shape), for observations of shape (K, *observation shape)."""
        actions, _ = self.policy.predict(observations)
        return actions

    def parameters(self) -> dict[str, NDArray[Any]]:
        """Return the parameters of the networks by name."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.policy.state_dict().items()}

    @classmethod
    def of(cls, policy: BasePolicy, parameters: Mapping[str, NDArray[Any]], timesteps: int, elo: float) -> Snapshot:
        """Restore a snapshot.

        Args:
            policy: a policy with the same networks.
            parameters: as `parameters` returned them.
            timesteps: as at its creation.
            elo: its last rating.
        """
        snapshot = cls(policy, timesteps, elo)
        snapshot.policy.load_state_dict({name: torch.as_tensor(array) for name, array in parameters.items()})
        return snapshot
