"""Gymnasium environments as one VecEnv of Stable-Baselines3, stepped one after the other in this process.

An environment that returns values of wrong types or shapes is named with its fault. Nothing is checked at each step:
once something has failed, the fault is looked up in the traceback.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rl_pipeline.envs.infos import single_number
from rl_pipeline.errors import InputError

MakeEnv = Callable[[], gymnasium.Env[Any, Any]]

PLUMBING: Final = ("gymnasium.core", "gymnasium.utils", "gymnasium.wrappers", "stable_baselines3", "rl_pipeline.envs")
"""Modules between the vector environment and the environment itself, with the libraries that they call."""
LIBRARIES: Final = ("numpy", "copy")


class GymnasiumVecEnv(DummyVecEnv):
    """A `DummyVecEnv` that names the environment whose `step` or `reset` returns a wrong value.

    Args:
        env_fns: make the environments, each in a `Monitor`.
        make_error: makes the error for a fault, see `find_returned_fault`.
    """

    def __init__(self, env_fns: Sequence[MakeEnv], make_error: Callable[[str], InputError]) -> None:
        super().__init__(list(env_fns))
        self._make_error = make_error

    def reset(self) -> VecEnvObs:
        """Reset every environment. Raises `InputError` for an observation that does not fit its space."""
        try:
            return super().reset()
        except Exception as error:
            self._raise_fault(error)
            raise

    def step_wait(self) -> VecEnvStepReturn:
        """Step every environment. Raises `InputError` for returned values of wrong types or shapes."""
        try:
            return super().step_wait()
        except Exception as error:
            self._raise_fault(error)
            raise

    def _raise_fault(self, error: Exception) -> None:
        """Raise the error for a returned value, if one is the cause of `error`."""
        if (fault := find_returned_fault(error, self.observation_space)) is not None:
            raise self._make_error(fault) from error


def find_returned_fault(error: BaseException, space: spaces.Space[Any]) -> str | None:
    """Explain an exception that followed from a value that `step` or `reset` returned.

    Args:
        error: raised while Stable-Baselines3's `DummyVecEnv` or `Monitor` stepped or reset an environment.
        space: of the observations.

    Returns:
        The fault in one line; None when the exception comes from the code of the environment.
    """
    # A frame of any other module is the user's code.
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if not all(_is_within(frame.f_globals["__name__"], (*PLUMBING, *LIBRARIES)) for frame in frames):
        return None
    # The returned values are local variables of the functions that choked on them.
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
    """Describe the fault of a reward that is not a number; None: it is one."""
    if np.ndim(reward) == 0 and single_number(reward) is not None:
        return None
    return f"expected step() to return a number as reward, found {reward!r}"


def observation_fault(observation: Any, space: spaces.Space[Any]) -> str | None:
    """Describe the fault of an observation whose shape is not that of its space; None: it is."""
    if not isinstance(space, spaces.Dict):
        return _shape_fault("", observation, space)
    if not isinstance(observation, dict):
        return f"expected a dictionary as observation, found {type(observation).__name__}"
    for key, part in space.spaces.items():
        if key not in observation:
            return f"expected {key!r} among the observations, found {', '.join(map(str, observation))}"
        if fault := _shape_fault(f" {key!r}", observation[key], part):
            return fault
    return None


def _shape_fault(name: str, observation: Any, space: spaces.Space[Any]) -> str | None:
    try:
        shape = np.shape(observation)
    except ValueError:
        return f"expected an observation{name} of shape {space.shape}, found {observation!r}"
    if shape == space.shape:
        return None
    return f"expected an observation{name} of shape {space.shape}, found one of shape {shape}"
