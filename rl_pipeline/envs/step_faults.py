"""Values that an environment of Gymnasium returns and must not, found once they have broken something.

Nothing is checked at each step: what failed is looked up in the traceback.
"""

from __future__ import annotations

import traceback
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from rl_pipeline.envs.infos import single_number

PLUMBING: Final = ("gymnasium.core", "gymnasium.utils", "gymnasium.wrappers", "stable_baselines3", "rl_pipeline.envs")
"""Modules between the vector environment and the environment itself, with the libraries that they call."""
LIBRARIES: Final = ("numpy", "copy")


def returned_fault(error: BaseException, space: spaces.Space[Any]) -> str | None:
    """Explain an exception that followed from a value that `step` or `reset` returned.

    Args:
        error: raised while Stable-Baselines3's `DummyVecEnv` or `Monitor` stepped or reset an environment.
        space: of the observations.

    Returns:
        The fault in one line; None when the exception comes from the code of the environment.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if not all(_is_within(frame.f_globals["__name__"], (*PLUMBING, *LIBRARIES)) for frame in frames):
        return None
    fault = None
    for frame in frames:
        if frame.f_code is DummyVecEnv._save_obs.__code__:
            fault = observation_fault(frame.f_locals["obs"], space)
        elif frame.f_code is Monitor.step.__code__ and "reward" in frame.f_locals:
            fault = reward_fault(frame.f_locals["reward"])
    return fault or f"{type(error).__name__}: {' '.join(str(error).split())}"


def _is_within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def reward_fault(reward: Any) -> str | None:
    """The fault of a reward that is no number; None: it is one."""
    if np.ndim(reward) == 0 and single_number(reward) is not None:
        return None
    return f"expected step() to return a number as reward, found {reward!r}"


def observation_fault(observation: Any, space: spaces.Space[Any]) -> str | None:
    """The fault of an observation that is not shaped as its space says; None: it is."""
    if isinstance(space, spaces.Dict):
        if not isinstance(observation, dict):
            return f"expected a dictionary as observation, found {type(observation).__name__}"
        for key, part in space.spaces.items():
            if key not in observation:
                return f"expected {key!r} among the observations, found {', '.join(map(str, observation))}"
            if fault := _shape_fault(f" {key!r}", observation[key], part):
                return fault
        return None
    return _shape_fault("", observation, space)


def _shape_fault(name: str, observation: Any, space: spaces.Space[Any]) -> str | None:
    try:
        shape = np.shape(observation)
    except ValueError:
        return f"expected an observation{name} of shape {space.shape}, found {observation!r}"
    if shape == space.shape:
        return None
    return f"expected an observation{name} of shape {space.shape}, found one of shape {shape}"
