"""The layout of rl_games' files, translated to this project's configuration."""

from rl_pipeline.runner.translation.run_settings import RunSettings
from rl_pipeline.runner.translation.translate import Translation, translate

__all__ = ["RunSettings", "Translation", "translate"]
