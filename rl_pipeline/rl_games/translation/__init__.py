"""Translation of rl_games' files into this project's configuration."""

from rl_pipeline.rl_games.translation.run_settings import RunSettings
from rl_pipeline.rl_games.translation.translate import Translation, translate

__all__ = ["RunSettings", "Translation", "translate"]
