"""Self-play: snapshots of the learning policy as opponents, and their Elo ratings."""

from rl_pipeline.algorithms.self_play.opponent_pool import OpponentPool

__all__ = ["OpponentPool"]
