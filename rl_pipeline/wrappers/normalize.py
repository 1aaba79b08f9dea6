"""Observations and rewards scaled by running statistics (Stable-Baselines3's `VecNormalize`)."""

from __future__ import annotations

import logging

from gymnasium import spaces
from pydantic import Field
from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first
from stable_baselines3.common.vec_env import VecEnv, VecNormalize, VecTransposeImage

from rl_pipeline.config.section import Section
from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.wrappers.wrapping import Use

logger = logging.getLogger(__name__)

KEYS = "wrappers.normalize.norm_obs_keys"


class Settings(Section):
    """`wrappers.normalize`."""

    observations: bool = Field(default=True, description="to mean 0 and variance 1; images are left to the policy")
    norm_obs_keys: list[str] | None = Field(
        default=None, description="keys of a dictionary of observations to normalise; null: every Box but images"
    )
    rewards: bool = Field(default=True, description="to a discounted return of variance 1")
    clip_observations: float = Field(default=10.0, gt=0, description="largest magnitude of a normalised observation")
    clip_rewards: float = Field(default=10.0, gt=0, description="largest magnitude of a normalised reward")
    gamma: float | None = Field(default=None, ge=0, le=1, description="discount of that return; null: the algorithm's")
    epsilon: float = Field(default=1e-8, gt=0, description="added to variances before they divide")


def wrap(venv: VecEnv, settings: Settings, use: Use) -> VecEnv:
    """Normalise; in evaluation the statistics stand still, and rewards stay as they are.

    Raises:
        InputError: `norm_obs_keys` names a key that cannot be normalised.
        ValueError: nothing in the observations can be normalised.
    """
    # Images are scaled by the policy.
    keys = _normalized_keys(venv.observation_space, settings.norm_obs_keys)
    images = [key for key, part in _parts(venv.observation_space).items() if is_image_space(part)]
    if settings.observations and images and use.training:
        names = ", ".join(key for key in images if key)
        logger.info("wrappers.normalize leaves images%s to the policy, which scales them", names and f" ({names})")
    if settings.observations and not keys and not images:
        raise ValueError("nothing in it is a Box; normalise rewards alone by observations: false")
    # Keys exist in a Dict only.
    normalizes = settings.observations and bool(keys)
    is_dict = isinstance(venv.observation_space, spaces.Dict)
    return VecNormalize(
        _channels_first(venv),
        training=use.training,
        norm_obs=normalizes,
        norm_reward=settings.rewards and use.training,
        clip_obs=settings.clip_observations,
        clip_reward=settings.clip_rewards,
        gamma=use.gamma if settings.gamma is None else settings.gamma,
        epsilon=settings.epsilon,
        norm_obs_keys=keys if normalizes and is_dict else None,
    )


def _normalized_keys(space: spaces.Space[object], chosen: list[str] | None) -> list[str]:
    """Return the keys of a Dict that are normalised; for another space `""`, unless it is an image."""
    parts = _parts(space)
    suitable = [key for key, part in parts.items() if isinstance(part, spaces.Box) and not is_image_space(part)]
    if chosen is None:
        return suitable
    if not isinstance(space, spaces.Dict):
        raise InputError(f"{KEYS}: expected null, since the observations are no dictionary, found {chosen}")
    # Each chosen key must be there, and be suitable.
    for key in chosen:
        if key not in parts:
            raise UnknownNameError("observation", key, parts, where=KEYS)
        if key not in suitable:
            kind = "an image, which the policy scales" if is_image_space(parts[key]) else f"{parts[key]}"
            raise InputError(f"{KEYS}: expected some of {', '.join(suitable)}, found {key}, which is {kind}")
    return chosen


def _parts(space: spaces.Space[object]) -> dict[str, spaces.Space[object]]:
    return dict(space.spaces) if isinstance(space, spaces.Dict) else {"": space}


def _channels_first(venv: VecEnv) -> VecEnv:
    """Transpose images here: Stable-Baselines3 does it outside, and then replay buffers store untransposed ones."""
    images = [part for part in _parts(venv.observation_space).values() if is_image_space(part)]
    if not any(isinstance(part, spaces.Box) and not is_image_space_channels_first(part) for part in images):
        return venv
    return VecTransposeImage(venv)
