"""Loggers of a run: files, terminal and trackers."""

from rl_pipeline.experiment.loggers.registration import register_logger
from rl_pipeline.experiment.loggers.run_logger import RunLogger

__all__ = ["RunLogger", "register_logger"]
