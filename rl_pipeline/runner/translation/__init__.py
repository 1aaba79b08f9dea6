"""The layout of rl_games' files, translated to this project's configuration."""

from rl_pipeline.runner.translation.run_settings import RunSettings
from rl_pipeline.runner.translation.translate import Translation, left_out_message, translate

__all__ = ["RunSettings", "Translation", "left_out_message", "translate"]
