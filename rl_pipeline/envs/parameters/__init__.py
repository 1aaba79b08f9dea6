"""Environment parameters, which vary from episode to episode, at random and by a curriculum."""

from rl_pipeline.envs.parameters.environment_parameters import EnvironmentParameters

__all__ = ["EnvironmentParameters"]
