"""The layout of rl_games' files, translated to this project's configuration."""

from rl_pipeline.rl_games.translation.translate import RunSettings, Translation, translate

__all__ = ["RunSettings", "Translation", "translate"]
