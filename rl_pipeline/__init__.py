"""Train reinforcement-learning agents on parallel robot simulators, over the wire protocol of real deployments.

The names in `__all__` are the public interface, described in docs/python.md. Each is imported on first use:
`import rl_pipeline` alone loads neither PyTorch nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rl_pipeline.lazy_names import attach_names
from rl_pipeline.version import __version__ as __version__

if TYPE_CHECKING:
    from rl_pipeline.algorithms import register_algorithm
    from rl_pipeline.backends import register_backend
    from rl_pipeline.cli.registration import register_verb
    from rl_pipeline.config import Config, load_config
    from rl_pipeline.envs import register_task
    from rl_pipeline.envs.task import Task
    from rl_pipeline.errors import InputError
    from rl_pipeline.evaluation.policy import Policy, load_policy
    from rl_pipeline.experiment.loggers import RunLogger, register_logger
    from rl_pipeline.models.feature_extractors import register_feature_extractor
    from rl_pipeline.players import register_scene
    from rl_pipeline.run.result import TrainingResult
    from rl_pipeline.run.rl_trainer import RLTrainer
    from rl_pipeline.wrappers import register_wrapper

__all__ = [
    "Config",
    "InputError",
    "Policy",
    "RLTrainer",
    "RunLogger",
    "Task",
    "TrainingResult",
    "load_config",
    "load_policy",
    "register_algorithm",
    "register_backend",
    "register_feature_extractor",
    "register_logger",
    "register_scene",
    "register_task",
    "register_verb",
    "register_wrapper",
]

_MODULES = {
    "Config": "rl_pipeline.config",
    "InputError": "rl_pipeline.errors",
    "Policy": "rl_pipeline.evaluation.policy",
    "RLTrainer": "rl_pipeline.run.rl_trainer",
    "RunLogger": "rl_pipeline.experiment.loggers",
    "Task": "rl_pipeline.envs.task",
    "TrainingResult": "rl_pipeline.run.result",
    "load_config": "rl_pipeline.config",
    "load_policy": "rl_pipeline.evaluation.policy",
    "register_algorithm": "rl_pipeline.algorithms",
    "register_backend": "rl_pipeline.backends",
    "register_feature_extractor": "rl_pipeline.models.feature_extractors",
    "register_logger": "rl_pipeline.experiment.loggers",
    "register_scene": "rl_pipeline.players",
    "register_task": "rl_pipeline.envs",
    "register_verb": "rl_pipeline.cli.registration",
    "register_wrapper": "rl_pipeline.wrappers",
}
"""The module that each public name is imported from."""

__getattr__, __dir__ = attach_names(__name__, _MODULES)
