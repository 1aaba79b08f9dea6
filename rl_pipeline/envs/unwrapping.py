"""Access to the environments behind their wrappers."""

from __future__ import annotations

from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecEnvWrapper

from rl_pipeline.envs.double_buffer import DoubleBufferedVecEnv
from rl_pipeline.envs.gymnasium_envs.process_vec_env import ProcessVecEnv
from rl_pipeline.envs.sb3_vec_env import PlayerVecEnv
from rl_pipeline.envs.vector_env import PlayerVectorEnv


def innermost(venv: VecEnv) -> VecEnv:
    """Return the environments without their wrappers."""
    while isinstance(venv, VecEnvWrapper):
        venv = venv.venv
    return venv


def are_apart(venv: VecEnv) -> bool:
    """Return True if each environment is an object of its own, drawn and reset without the others."""
    return isinstance(innermost(venv), DummyVecEnv | SubprocVecEnv | ProcessVecEnv)


def player_env(venv: VecEnv) -> PlayerVectorEnv | None:
    """Return the environments on players, of two halves the one with environment 0; None: there are no players."""
    venv = innermost(venv)
    if isinstance(venv, DoubleBufferedVecEnv):
        venv = venv.following
    return venv.env if isinstance(venv, PlayerVecEnv) else None


def environment_name(venv: VecEnv) -> str:
    """Return the id of the environments, or else the name of their class, for messages."""
    if (env := player_env(venv)) is not None:
        return type(env.task).__name__
    try:
        spec, unwrapped = (venv.get_attr(name, indices=[0])[0] for name in ("spec", "unwrapped"))
    except AttributeError:
        return type(innermost(venv)).__name__
    return str(spec.id) if spec is not None else type(unwrapped or innermost(venv)).__name__


def request_frames(venv: VecEnv, wanted: bool) -> None:
    """Request a frame of environment 0 with each step, or no longer; environments without players draw on demand."""
    if (env := player_env(venv)) is not None:
        env.rendering[0] = wanted
