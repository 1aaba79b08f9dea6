"""Embedded player: MuJoCo scenes as simulator processes with the interface of a Unity build."""

from rl_pipeline.players.registration import register_scene

__all__ = ["register_scene"]
