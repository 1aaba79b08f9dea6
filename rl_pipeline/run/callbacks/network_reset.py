"""Periodic reset of the networks, with the replay buffer kept (Nikishin et al. 2022, The Primacy Bias)."""

from __future__ import annotations

import logging
from operator import attrgetter

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import Intervals
from rl_pipeline.plurals import plural
from rl_pipeline.run.callbacks.callback import RunCallback

logger = logging.getLogger(__name__)


class NetworkReset(RunCallback):
    """Gives an off-policy model new weights every `training.resetting_interval` environment steps.

    Args:
        interval: environment steps between two resets, summed over the environments.
    """

    def __init__(self, interval: int) -> None:
        super().__init__()
        self._intervals = Intervals(interval)

    def _init_callback(self) -> None:
        """Raise `InputError` for an algorithm without a replay buffer, which would have nothing left after a reset."""
        if not isinstance(self.model, OffPolicyAlgorithm):
            raise InputError(
                "training.resetting_interval: expected an algorithm with a replay buffer to learn from anew, such as "
                f"sac, found {type(self.model).__name__}"
            )

    def restored(self, timesteps: int) -> None:
        """Count the resets up to here as done."""
        self._intervals.reached(timesteps)

    def before_rollout(self, timesteps: int) -> None:
        """Reset the networks when it is due."""
        if self._intervals.reached(timesteps):
            reset_networks(self.model)
            logger.info("new networks at %d %s", timesteps, plural(timesteps, "step"))


def reset_networks(model: BaseAlgorithm) -> None:
    """Draw new weights from PyTorch's generator and clear the state of the optimizers; all else stays."""
    # A second policy of the same architecture draws its weights.
    policy = model.policy
    policy.load_state_dict(type(policy)(**policy._get_constructor_parameters()).state_dict())
    # Moments of Adam belong to the former weights.
    names, _ = model._get_torch_save_params()
    for name in names:
        if name.endswith("optimizer"):
            attrgetter(name)(model).state.clear()
