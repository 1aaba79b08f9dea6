"""What learns, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
)

from rl_pipeline.config.schema.section import Hyperparameters, Section
from rl_pipeline.config.values import device_name

DeviceName = Annotated[str, AfterValidator(device_name)]
LayerWidth = Annotated[int, Field(gt=0)]


class ArchitectureConfig(Section):
    """The policy's networks; becomes Stable-Baselines3's `policy_kwargs`."""

    net_arch: list[LayerWidth] | dict[str, list[LayerWidth]] | None = Field(
        default=None,
        description="widths of the hidden layers, shared or by network (pi, vf, qf); null: the policy's own",
    )
    activation_fn: str | None = Field(default=None, description="a class of torch.nn by name, such as ReLU or Tanh")
    features_extractor_class: str | None = Field(
        default=None, description="a class of models/feature_extractors by name"
    )
    features_extractor_kwargs: Hyperparameters = Field(default={}, description="keyword arguments of that class")
    share_features_extractor: bool | None = Field(
        default=None, description="one extractor for actor and critic; null: the policy's own choice"
    )
    policy_kwargs: Hyperparameters = Field(default={}, description="any other keyword argument of the policy class")


class AlgorithmConfig(Section):
    """Which algorithm learns, with which hyperparameters."""

    name: str = Field(default="ppo", description="a registered algorithm, in any case")
    parameters: Hyperparameters = Field(
        default={}, description="the algorithm's keyword arguments; unknown ones are errors"
    )
    architecture: ArchitectureConfig = Field(default=ArchitectureConfig(), description="the policy's networks")


class TrainingEvaluationConfig(Section):
    """Evaluations spread evenly over the run, on environments of their own."""

    seed: int = Field(default=5, ge=0, le=2**32 - 1, description="seed of the first evaluation episode")
    num_episodes: int = Field(default=10, gt=0, description="episodes of each evaluation")
    num_evals: int = Field(
        default=5, ge=0, description="evaluations over the run; 0: none, and the last model is the best"
    )
    deterministic: bool = Field(default=True, description="act by the policy's mode rather than by a sample")


class TrainingConfig(Section):
    """How long, on what and from where."""

    total_timesteps: int = Field(default=100_000, gt=0, description="environment steps, summed over the environments")
    seed: int = Field(
        default=0, ge=0, le=2**32 - 1, description="seed of the networks, the exploration and the first episodes"
    )
    device: DeviceName = Field(
        default="auto", description="auto, cpu, cuda or cuda:N; cuda falls back to the CPU where there is none"
    )
    log_points: int = Field(default=5, ge=0, description="checkpoints over the run")
    save_freq: int | None = Field(
        default=None, gt=0, description="a further checkpoint every so many steps or episodes; null: none"
    )
    save_freq_unit: Literal["steps", "episodes"] = Field(
        default="steps", description="what save_freq counts: environment steps, or episodes, of all environments"
    )
    verbose: int = Field(default=1, ge=0, le=2, description="0: warnings; 1: progress; 2: everything")
    pretrained_model: str | None = Field(
        default=None, description="model to start from: a file, or an experiment's folder"
    )
    use_wandb: bool = Field(default=False, description="log to Weights & Biases too")
    eval: TrainingEvaluationConfig = Field(
        default=TrainingEvaluationConfig(), description="evaluations during training"
    )
