"""Atari games with the preprocessing of the published results (Machado et al. 2018) in place of raw screens.

A game is any environment that the `ale-py` package registers; it comes with the `atari` extra.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gymnasium

from rl_pipeline.envs.gymnasium_envs.providers import ATARI_PACKAGE
from rl_pipeline.errors import InputError

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv

STACKED_FRAMES: Final = 4
FRAME_SKIP: Final = 4


def is_atari_game(env_id: str) -> bool:
    """Return True if a registered id is that of an Atari game."""
    return str(gymnasium.spec(env_id).entry_point).startswith(ATARI_PACKAGE)


def make_atari_games(
    env_id: str,
    num_envs: int,
    seed: int,
    options: dict[str, Any],
    *,
    for_training: bool,
    vec_env_cls: Any = None,
    vec_env_kwargs: dict[str, Any] | None = None,
) -> VecEnv:
    """Make games with observations of 84x84 greyscale, four frames stacked, and one action for four frames.

    For training an episode ends with a life and rewards are their signs; the returns that are logged are still those of
    the game. Otherwise a whole game is played. `vec_env_cls` and `vec_env_kwargs` go to `make_vec_env`.
    """
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecFrameStack

    # Ids without `NoFrameskip` skip frames by themselves; skip them once only.
    skipped = gymnasium.spec(env_id).kwargs.get("frameskip", 1) != 1
    preprocessing = {
        "frame_skip": 1 if skipped else FRAME_SKIP,
        "terminal_on_life_loss": for_training,
        "clip_reward": for_training,
    }
    wrapper: Any = _import_atari_wrapper()
    games = make_vec_env(
        env_id,
        n_envs=num_envs,
        seed=seed,
        env_kwargs=options,
        wrapper_class=wrapper,
        wrapper_kwargs=preprocessing,
        vec_env_cls=vec_env_cls,
        vec_env_kwargs=vec_env_kwargs,
    )
    return VecFrameStack(games, STACKED_FRAMES)


def _import_atari_wrapper() -> type[gymnasium.Wrapper[Any, Any, Any, Any]]:
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise InputError("Atari games need OpenCV: pip install 'rl-pipeline[atari]'") from error
    from stable_baselines3.common.atari_wrappers import AtariWrapper

    return AtariWrapper
