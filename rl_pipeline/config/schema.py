"""Schema of the configuration: meaning, valid values and default of every key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from rl_pipeline.config.machine import RosConfig, SimulationConfig, UnityConfig
from rl_pipeline.config.origins import Origins
from rl_pipeline.config.section import FileOrName, Hyperparameters, Section
from rl_pipeline.config.values import checkpoint_name, device_name, folder_name, model_reference


class EnvironmentConfig(Section):
    """The environment that the agent learns in, and how it is watched."""

    id: str = Field(default="rl_pipeline/Navigation-v0", description="any registered Gymnasium id")
    env_config: dict[str, Any] | None = Field(default=None, description="keyword arguments of the environment or task")
    parameters: Hyperparameters = Field(
        default={}, description="what varies from episode to episode: numbers, samplers or curricula by name"
    )
    render_mode: Literal["rgb_array", "human"] | None = Field(
        default="rgb_array", description="rgb_array: frames for videos; human: a window; null: neither"
    )
    monitor: bool = Field(default=True, description="log each episode's return and length")
    horizon: int | None = Field(
        default=None, gt=0, description="steps after which an episode is cut off; null: the environment's own"
    )
    video_wrapper: bool = Field(default=True, description="record videos during training")
    video_trigger: int = Field(
        default=5000, gt=0, description="environment steps of one environment between two recordings"
    )
    video_length: int = Field(default=500, gt=0, description="steps of one recording")


FolderName = Annotated[str, AfterValidator(folder_name)]


class ExperimentConfig(Section):
    """Experiment folder of a run."""

    name: FolderName = Field(default="experiment", description="folder name; made unique by a time stamp when taken")
    directory: Path = Field(default=Path("experiments"), description="where the experiment folders are")


class WandbRunConfig(Section):
    """The Weights & Biases run, when `training.use_wandb` is set."""

    project_name: str = Field(default="sb3", min_length=1, description="the project the run appears under")
    entity: str | None = Field(default=None, description="user or team; null: the one who is logged in")
    group: str | None = Field(default=None, description="runs of one group are shown together")
    name: str | None = Field(default=None, description="name of the run; null: the experiment's")
    tags: list[str] = Field(default=[], description="labels to find the run by")
    save_state: bool = Field(
        default=True, description="keep what the run can be resumed from among its files, a replay buffer included"
    )
    mode: Literal["online", "offline"] | None = Field(
        default=None, description="online or offline; null: what WANDB_MODE says, else online"
    )


class EvaluationConfig(Section):
    """The evaluation at the end of a run, and that of `rl-pipeline evaluate`."""

    num_episodes: int = Field(default=100, gt=0, description="episodes of the evaluation")
    seed: int = Field(
        default=1_000_000, ge=0, le=2**32 - 1, description="seed of the first episode; episode k has seed + k"
    )
    deterministic: bool = Field(default=True, description="act by the policy's mode rather than by a sample")
    horizon: int | None = Field(
        default=None,
        gt=0,
        description="steps after which an episode of any evaluation is cut off; null: environment.horizon",
    )
    opponent: FileOrName | None = Field(
        default=None, description="model that plays the opponent, a file or an experiment; null: the scene's bot"
    )


class PlayConfig(Section):
    """Model that `rl-pipeline play` loads when the command line names none."""

    experiment: FileOrName | None = Field(
        default=None, description="an experiment's folder or its name; null: the newest"
    )
    pretrained_model: FileOrName = Field(
        default="best_model", description="a model of that experiment: best_model, model or a file"
    )


class SelfPlayConfig(Section):
    """Opponents that are past versions of the agent, where the task has an opponent; the keys are ML-Agents'."""

    enabled: bool = Field(
        default=False,
        description="train against past versions of the agent, not the scene's bot; true where a block leaves it out",
    )
    save_steps: int = Field(
        default=20_000, gt=0, description="environment steps between two snapshots of the agent, over all environments"
    )
    swap_steps: int = Field(
        default=0, ge=0, description="steps of an environment for which an opponent stays; 0: for one episode"
    )
    window: int = Field(default=10, gt=0, description="snapshots that are kept, the last ones")
    play_against_latest_model_ratio: float = Field(
        default=0.5, ge=0.0, le=1.0, description="probability of playing the agent as it is, not one of the snapshots"
    )
    initial_elo: float = Field(default=1200.0, description="Elo rating that the agent begins with")


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
    """Algorithm, hyperparameters and networks."""

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
    """Length, device, checkpoints and starting point of a training."""

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
        """True if `run_type`, or else `use_wandb`, logs the run to Weights & Biases."""
        return self.use_wandb if self.run_type is None else self.run_type == "wandb"

    @property
    def keeps_checkpoints(self) -> bool:
        """True if models are saved during training, in addition to the states."""
        return self.run_type in (None, "wandb")


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
    """The canonical configuration. Other spellings are translated first (see keys.py)."""

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
    loggers: dict[str, Any] = Field(
        default={},
        description="trackers that the run is logged to: settings by name, such as wandb, mlflow or your own",
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
