"""The callbacks that a configuration asks for, made once for the check of the configuration and its training."""

from __future__ import annotations

from dataclasses import dataclass

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from rl_pipeline.config import Config
from rl_pipeline.run.callbacks.network_reset import NetworkReset
from rl_pipeline.run.callbacks.self_play import SelfPlay
from rl_pipeline.run.callbacks.user import make_user_callbacks


@dataclass(frozen=True)
class ConfiguredCallbacks:
    """Callbacks that exist only if a configuration has them.

    Attributes:
        user: the callbacks of `training.callbacks` by name.
        self_play: opponents and their ratings, by `training.self_play`.
        network_reset: resets of the networks, by `training.resetting_interval`.
    """

    user: dict[str, BaseCallback]
    self_play: SelfPlay | None
    network_reset: NetworkReset | None

    @classmethod
    def of(cls, config: Config) -> ConfiguredCallbacks:
        """Make the callbacks. Raises `InputError` for one that does not exist or does not take its settings."""
        interval = config.training.resetting_interval
        return cls(
            make_user_callbacks(config),
            SelfPlay(config) if config.training.self_play.enabled else None,
            None if interval is None else NetworkReset(interval),
        )

    def check(self, model: BaseAlgorithm) -> None:
        """Raise `InputError` when a callback does not suit the model. The user's callbacks first see it in `learn`."""
        for callback in (self.network_reset, self.self_play):
            if callback is not None:
                callback.init_callback(model)
