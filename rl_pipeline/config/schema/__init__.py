"""The whole configuration as typed models: what every key means, which values it takes and what it defaults to."""

from __future__ import annotations

from typing import Any

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

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
from rl_pipeline.config.schema.section import Section
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

    experiment: ExperimentConfig = ExperimentConfig()
    environment: EnvironmentConfig = EnvironmentConfig()
    algorithm: AlgorithmConfig = AlgorithmConfig()
    training: TrainingConfig = TrainingConfig()
    wrappers: dict[str, Any] = Field(default={}, description="wrappers around the environments: settings by name")
    robot: dict[str, Any] = Field(default={}, description="the robot in the scene; none can be chosen yet")
    expert: dict[str, Any] = Field(default={}, description="the expert policy to learn from; none exist yet")
    wandb_run: WandbRunConfig = WandbRunConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    play: PlayConfig = PlayConfig()
    simulation: SimulationConfig = SimulationConfig()

    _origins: Origins = PrivateAttr(default_factory=Origins)

    @field_validator("robot", "expert")
    @classmethod
    def _names_exist(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if value:
            name = value.get("name", next(iter(value)))
            raise ValueError(f"unknown {str(info.field_name).removesuffix('s')} {name!r}; none exist in this version")
        return value
