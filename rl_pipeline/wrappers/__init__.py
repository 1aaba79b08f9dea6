"""Wrappers between the environments and the agent, chosen under `wrappers`; one file each."""

from rl_pipeline.wrappers.wrapping import Use, register_wrapper, wrap, wrapper_names

__all__ = ["Use", "register_wrapper", "wrap", "wrapper_names"]
