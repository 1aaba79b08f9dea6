"""Embedded players: MuJoCo scenes as simulator processes that behave like Unity builds."""

from rl_pipeline.players.registration import register_scene

__all__ = ["register_scene"]
