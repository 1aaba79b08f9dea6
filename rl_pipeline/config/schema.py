"""The whole configuration as typed models: what every key means, which values it takes and what it defaults to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from rl_pipeline.config.origins import Origins
from rl_pipeline.config.values import device_name, folder_name, numbers_unquoted, plain_value, secret

FolderName = Annotated[str, AfterValidator(folder_name)]
Secret = Annotated[SecretStr, BeforeValidator(secret)]
DeviceName = Annotated[str, AfterValidator(device_name)]
Hyperparameters = Annotated[dict[str, Any], AfterValidator(numbers_unquoted)]
LayerWidth = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, and defaults are checked like any other value."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False, coerce_numbers_to_str=True)

    @field_validator("*", mode="before")
    @classmethod
    def _plain_value(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        return plain_value(value, cls.model_fields[info.field_name])


class ExperimentConfig(Section):
    """Which experiment folder a run writes."""

    name: FolderName = Field(default="experiment", description="folder name; made unique by a time stamp when taken")
    directory: Path = Field(default=Path("experiments"), description="where the experiment folders are")


class EnvironmentConfig(Section):
    """The environment that the agent learns in, and how it is watched."""

    id: str = Field(default="rl_pipeline/Navigation-v0", description="any registered Gymnasium id")
    env_config: dict[str, Any] | None = Field(default=None, description="keyword arguments of the environment or task")
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
    verbose: int = Field(default=1, ge=0, le=2, description="0: warnings; 1: progress; 2: everything")
    pretrained_model: str | None = Field(
        default=None, description="model to start from: a file, or an experiment's folder"
    )
    use_wandb: bool = Field(default=False, description="log to Weights & Biases too")
    eval: TrainingEvaluationConfig = Field(
        default=TrainingEvaluationConfig(), description="evaluations during training"
    )


class WandbRunConfig(Section):
    """The Weights & Biases run, when `training.use_wandb` is set."""

    project_name: str = Field(default="sb3", min_length=1, description="the project the run appears under")
    entity: str | None = Field(default=None, description="user or team; null: the one who is logged in")
    group: str | None = Field(default=None, description="runs of one group are shown together")
    name: str | None = Field(default=None, description="name of the run; null: the experiment's")
    tags: list[str] = Field(default=[], description="labels to find the run by")
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


class PlayConfig(Section):
    """Which model `rl-pipeline play` loads when the command line names none."""

    experiment: str | None = Field(default=None, description="an experiment's folder or its name; null: the newest")
    pretrained_model: str = Field(
        default="best_model", description="a model of that experiment: best_model, model or a file"
    )


class RosConfig(Section):
    """The ROS side: how players are reached, and what the launch scripts run."""

    backend: Literal["direct", "ros2", "mlagents"] = Field(
        default="direct",
        description="direct: players connect to the trainer; ros2: by way of ROS services; mlagents: gRPC",
    )
    tcp_ip: str = Field(
        default="127.0.0.1", min_length=1, description="address the endpoint listens on; 0.0.0.0 admits other machines"
    )
    tcp_port: int = Field(default=10000, ge=0, le=65535, description="port the endpoint listens on; 0: any free one")
    one_port_per_environment: bool = Field(default=False, description="listen on tcp_port + i for environment i")
    token: Secret | None = Field(
        default=None, description="secret that players must know; null: whoever can connect is served"
    )
    package_name: str = Field(
        default="examples_pkg", min_length=1, description="ROS package that launch_node.bash runs"
    )
    node_name: str = Field(default="train", min_length=1, description="node of that package")


class UnityConfig(Section):
    """The players: a Unity standalone build, or the embedded simulator."""

    build_path: str = Field(
        default="embedded", min_length=1, description="an executable, or `embedded` for the MuJoCo player"
    )
    launch: bool = Field(default=True, description="false: wait for players that are started elsewhere")
    headless_mode: bool = Field(default=True, description="no window")
    pause: bool = Field(default=True, description="simulated time stands still between a response and the next request")
    sample_time: float = Field(
        default=0.0, ge=0.0, description="control period in simulated seconds; 0: the scene's own"
    )
    time_scale: float = Field(default=0.0, ge=0.0, description="simulated seconds per second; 0: as fast as possible")
    connect_timeout: float = Field(default=60.0, gt=0.0, description="seconds a player may take to connect")
    step_timeout: float = Field(default=30.0, gt=0.0, description="seconds a player may take to answer")
    max_lifetime_restarts: int = Field(
        default=200, ge=-1, description="restarts of one player over a run, before the run ends; -1: any number"
    )
    restarts_rate_limit_n: int = Field(
        default=60, ge=-1, description="restarts of one player within the period below; -1: any number"
    )
    restarts_rate_limit_period_s: float = Field(default=60.0, gt=0.0, description="that period, in seconds")

    @field_validator("time_scale")
    @classmethod
    def _clock_has_a_speed(cls, value: float, info: ValidationInfo) -> float:
        if value == 0.0 and not info.data.get("pause", True):
            raise ValueError(
                "with unity.pause=false simulated time follows the clock, so expected a number above 0 "
                "(1.0: real time), found 0"
            )
        return value


class SimulationConfig(Section):
    """What config.yml says of this machine."""

    n_environments: int = Field(default=4, gt=0, le=4096, description="environments that run in parallel")
    worlds_per_player: int = Field(
        default=1,
        gt=0,
        le=1024,
        description="environments that one player simulates; a divisor of n_environments",
    )
    ros: RosConfig = Field(default=RosConfig(), description="the ROS side")
    unity: UnityConfig = Field(default=UnityConfig(), description="the players")

    @field_validator("worlds_per_player")
    @classmethod
    def _players_are_full(cls, value: int, info: ValidationInfo) -> int:
        total = info.data.get("n_environments", value)
        if total % value:
            raise ValueError(f"n_environments ({total}) is no multiple of it; expected a divisor, found {value}")
        return value

    def with_any_port(self) -> SimulationConfig:
        """The same on any free port, to run beside a training; players started elsewhere keep the port they know."""
        if not self.unity.launch:
            return self
        return self.model_copy(update={"ros": self.ros.model_copy(update={"tcp_port": 0})})


class Config(Section):
    """The canonical configuration. Other spellings are translated to it before they get here (see aliases.py)."""

    experiment: ExperimentConfig = ExperimentConfig()
    environment: EnvironmentConfig = EnvironmentConfig()
    algorithm: AlgorithmConfig = AlgorithmConfig()
    training: TrainingConfig = TrainingConfig()
    wrappers: dict[str, Any] = Field(default={}, description="wrappers around the environment, by name; none exist yet")
    robot: dict[str, Any] = Field(default={}, description="the robot in the scene; none can be chosen yet")
    expert: dict[str, Any] = Field(default={}, description="the expert policy to learn from; none exist yet")
    wandb_run: WandbRunConfig = WandbRunConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    play: PlayConfig = PlayConfig()
    simulation: SimulationConfig = SimulationConfig()

    _origins: Origins = PrivateAttr(default_factory=Origins)

    @field_validator("wrappers", "robot", "expert")
    @classmethod
    def _names_exist(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if value:
            name = value.get("name", next(iter(value)))
            raise ValueError(f"unknown {str(info.field_name).removesuffix('s')} {name!r}; none exist in this version")
        return value
