"""Players built with ML-Agents, by the package `mlagents-envs` (the extra `mlagents`)."""

from rl_pipeline.backends.mlagents.package import load_mlagents

__all__ = ["load_mlagents"]
