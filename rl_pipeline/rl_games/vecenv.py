"""rl_games' names for the types of vector environments."""

from __future__ import annotations

from rl_pipeline.envs.vec_env_types import VEC_ENV_TYPES, IVecEnv, create_vec_env
from rl_pipeline.envs.vec_env_types import register_vec_env_type as register

__all__ = ["IVecEnv", "create_vec_env", "register", "vecenv_config"]

vecenv_config = VEC_ENV_TYPES
