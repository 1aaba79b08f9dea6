"""rl_games' names for the registry of environments with a type."""

from __future__ import annotations

from rl_pipeline.envs.registration import CONFIGURATIONS
from rl_pipeline.envs.registration import register_environment as register

__all__ = ["configurations", "register"]

configurations = CONFIGURATIONS
