"""Networks begun anew every so often, with the replay buffer kept (Nikishin et al. 2022, The Primacy Bias)."""

from __future__ import annotations

import logging
from operator import attrgetter

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import Intervals
from rl_pipeline.plurals import plural

logger = logging.getLogger(__name__)


class ModelReset:
    """Gives a model new weights every `training.resetting_interval` environment steps.

    Args:
        model: what learns, off-policy.
        interval: environment steps between two resets, summed over the environments.
        start: steps that a resumed run had taken before.
    """

    def __init__(self, model: BaseAlgorithm, interval: int, start: int) -> None:
        self._model = model
        self._intervals = Intervals(interval)
        self._intervals.reached(start)

    def update(self, timesteps: int) -> None:
        """Reset when it is time; to be called between rollouts, before a checkpoint."""
        if self._intervals.reached(timesteps):
            reset_networks(self._model)
            logger.info("new networks at %d %s", timesteps, plural(timesteps, "step"))


def reset_networks(model: BaseAlgorithm) -> None:
    """New weights, drawn from PyTorch's generator, and optimizers that have seen nothing; all else stays."""
    policy = model.policy
    policy.load_state_dict(type(policy)(**policy._get_constructor_parameters()).state_dict())
    names, _ = model._get_torch_save_params()
    for name in names:
        if name.endswith("optimizer"):
            attrgetter(name)(model).state.clear()


def check_resets(model: BaseAlgorithm, interval: int | None) -> None:
    """Raise `InputError` for an algorithm that would have nothing left after a reset."""
    if interval is not None and not isinstance(model, OffPolicyAlgorithm):
        raise InputError(
            "training.resetting_interval: expected an algorithm with a replay buffer to learn from anew, such as sac, "
            f"found {type(model).__name__}"
        )
