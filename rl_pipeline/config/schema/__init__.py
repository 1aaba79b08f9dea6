"""The whole configuration as typed models: what every key means, which values it takes and what it defaults to."""

from __future__ import annotations

from typing import Any

from pydantic import Field, PrivateAttr

from rl_pipeline.config.origins import Origins
from rl_pipeline.config.schema.environment import EnvironmentConfig
from rl_pipeline.config.schema.experiment import ExperimentConfig, WandbRunConfig
from rl_pipeline.config.schema.judging import EvaluationConfig, PlayConfig
from rl_pipeline.config.schema.learning import (
    AlgorithmConfig,
    ArchitectureConfig,
    TrainingConfig,
    TrainingEvaluationConfig,
)
from rl_pipeline.config.schema.section import FileOrName, Section
from rl_pipeline.config.schema.self_play import SelfPlayConfig
from rl_pipeline.config.schema.simulation import RosConfig, SimulationConfig, UnityConfig

__all__ = [
    "AlgorithmConfig",
    "ArchitectureConfig",
    "Config",
    "EnvironmentConfig",
    "EvaluationConfig",
    "ExperimentConfig",
    "PlayConfig",
    "RosConfig",
    "Section",
    "SelfPlayConfig",
    "SimulationConfig",
    "TrainingConfig",
    "TrainingEvaluationConfig",
    "UnityConfig",
    "WandbRunConfig",
]


class Config(Section):
    """The canonical configuration. Other spellings are translated to it before they get here (see aliases.py)."""

    modules: list[FileOrName] = Field(
        default=[], description="modules or .py files that are imported first: what they register can be named here"
    )
    experiment: ExperimentConfig = ExperimentConfig()
    environment: EnvironmentConfig = EnvironmentConfig()
    algorithm: AlgorithmConfig = AlgorithmConfig()
    training: TrainingConfig = TrainingConfig()
    wrappers: dict[str, Any] = Field(default={}, description="wrappers around the environments: settings by name")
    robot: dict[str, Any] = Field(
        default={}, description="the robot in the scene: what the environment gets as its argument `robot`"
    )
    expert: dict[str, Any] = Field(
        default={}, description="the expert to learn from: what the environment gets as its argument `expert`"
    )
    wandb_run: WandbRunConfig = WandbRunConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    play: PlayConfig = PlayConfig()
    simulation: SimulationConfig = SimulationConfig()

    _origins: Origins = PrivateAttr(default_factory=Origins)
    _outweighed: list[str] = PrivateAttr(default_factory=list)

    @property
    def environment_options(self) -> dict[str, Any]:
        """The keyword arguments of the environment or task: its own, and the robot and the expert if there are any."""
        chosen = {"robot": self.robot, "expert": self.expert}
        return {**(self.environment.env_config or {}), **{name: value for name, value in chosen.items() if value}}
