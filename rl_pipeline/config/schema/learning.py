"""What learns, and how."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from rl_pipeline.config.schema.section import Hyperparameters, Section
from rl_pipeline.config.schema.self_play import SelfPlayConfig
from rl_pipeline.config.values import checkpoint_name, device_name, model_reference

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
    verbose: Annotated[int | bool, AfterValidator(int)] = Field(
        default=1, ge=0, le=2, description="0 or false: warnings; 1 or true: progress; 2: everything"
    )
    use_wandb: bool = Field(default=False, description="log to Weights & Biases too")
    pretrained_model: Annotated[str | dict[str, Any] | None, AfterValidator(model_reference)] = Field(
        default=None,
        description="model to start from: a file, an experiment's folder or name, or wandb:entity/project/run",
    )
    load_step: Annotated[int | str | None, AfterValidator(checkpoint_name)] = Field(
        default=None,
        description="which model of that experiment: steps of a checkpoint, or final; null: the best, else the last",
    )
    run_type: Literal["debug", "tensorboard", "wandb"] | None = Field(
        default=None,
        description="debug: store nothing; tensorboard: no checkpoints but the last; wandb: all, on W&B too; null: all",
    )
    test_only: bool = Field(
        default=False, description="watch the model that experiment.name and load_step name, instead of training"
    )
    double_buffer: bool = Field(
        default=False,
        description="step one half of the environments while the policy decides for the other; ppo, a2c and trpo only",
    )
    resetting_interval: int | None = Field(
        default=None, gt=0, description="steps after which an off-policy algorithm gets new networks; null: never"
    )
    log_interval: int | None = Field(
        default=None,
        gt=0,
        description="rollouts, or episodes off-policy, between two lines of figures; null: 1 rollout or 4 episodes",
    )
    log_info_keys: list[str] = Field(
        default=[], description="numbers of the environment's infos to log: the mean of what episodes end with"
    )
    callbacks: Hyperparameters = Field(
        default={}, description="callbacks of Stable-Baselines3: keyword arguments by module:Class"
    )
    eval: TrainingEvaluationConfig = Field(
        default=TrainingEvaluationConfig(), description="evaluations during training"
    )
    self_play: SelfPlayConfig = Field(default=SelfPlayConfig(), description="past versions of the agent as opponents")

    @field_validator("run_type")
    @classmethod
    def _one_word_on_wandb(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value in ("debug", "tensorboard") and info.data.get("use_wandb"):
            raise ValueError(f"with training.use_wandb=true expected wandb or null, found {value!r}")
        return value

    @property
    def on_wandb(self) -> bool:
        """Whether the run is logged to Weights & Biases: `run_type` decides, else `use_wandb`."""
        return self.use_wandb if self.run_type is None else self.run_type == "wandb"

    @property
    def keeps_checkpoints(self) -> bool:
        """Whether models are kept on the way, beside what the run can be resumed from."""
        return self.run_type in (None, "wandb")
