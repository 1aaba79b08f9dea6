"""The whole configuration as typed models: what every key means, which values it takes and what it defaults to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field



class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, and defaults are checked like any other value."""

    model_config = ConfigDict(extra="forbid", validate_default=True)


class ExperimentConfig(Section):
    """Which experiment folder a run writes."""

    name: str = Field("experiment", min_length=1, description="folder name; made unique by a time stamp when taken")
    directory: Path = Field(Path("experiments"), description="where the experiment folders are")


class EnvironmentConfig(Section):
    """The environment that the agent learns in, and how it is watched."""

    id: str = Field("rl_pipeline/Navigation-v0", description="any registered Gymnasium id")
    env_config: dict[str, Any] | None = Field(None, description="keyword arguments of the environment or task")
    render_mode: Literal["rgb_array", "human"] | None = "rgb_array"
    monitor: bool = Field(True, description="log each episode's return and length")
    horizon: int | None = Field(None, gt=0, description="steps after which an episode is cut off; null: the task's own")
    video_wrapper: bool = Field(True, description="record videos during training")
    video_trigger: int = Field(5000, gt=0, description="environment steps of one environment between two recordings")
    video_length: int = Field(500, gt=0, description="steps of one recording")


class ArchitectureConfig(Section):
    """The policy's networks; becomes Stable-Baselines3's `policy_kwargs`."""

    net_arch: list[int] | dict[str, list[int]] | None = None
    activation_fn: str | None = Field(None, description="a class of torch.nn by name, such as ReLU or Tanh")
    features_extractor_class: str | None = Field(None, description="a class of models/feature_extractors by name")
    features_extractor_kwargs: dict[str, Any] = {}
    share_features_extractor: bool | None = None
    policy_kwargs: dict[str, Any] = Field({}, description="any other keyword argument of the policy class")


class AlgorithmConfig(Section):
    """Which algorithm learns, with which hyperparameters."""

    name: str = Field("ppo", description="a registered algorithm, in any case")
    parameters: dict[str, Any] = Field({}, description="the algorithm's keyword arguments; unknown ones are errors")
    architecture: ArchitectureConfig = ArchitectureConfig()


class TrainingEvaluationConfig(Section):
    """Evaluations spread evenly over the run, on environments of their own."""

    seed: int = Field(5, ge=0)
    num_episodes: int = Field(10, gt=0, description="episodes of each evaluation")
    num_evals: int = Field(5, ge=0, description="evaluations over the run; 0: none, and the last model is the best")
    deterministic: bool = True


class TrainingConfig(Section):
    """How long, on what and from where."""

    total_timesteps: int = Field(100_000, gt=0, description="environment steps, summed over the environments")
    seed: int = Field(0, ge=0, le=2**32 - 1)
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N; without CUDA, cuda falls back to the CPU")
    log_points: int = Field(5, ge=0, description="checkpoints over the run")
    verbose: int = Field(1, ge=0, le=2)
    pretrained_model: str | None = Field(None, description="model to start from: a file, or an experiment's folder")
    use_wandb: bool = Field(False, description="log to Weights & Biases too")
    eval: TrainingEvaluationConfig = TrainingEvaluationConfig()


class WandbRunConfig(Section):
    """The Weights & Biases run, when `training.use_wandb` is set."""

    project_name: str = "sb3"
    entity: str | None = None
    group: str | None = None
    name: str | None = Field(None, description="null: the experiment's name")
    tags: list[str] = []
    mode: Literal["online", "offline"] | None = Field(None, description="null: what WANDB_MODE says, else online")


class EvaluationConfig(Section):
    """The evaluation at the end of a run, and that of `rl-pipeline evaluate`."""

    num_episodes: int = Field(100, gt=0)
    seed: int = Field(1_000_000, ge=0, le=2**32 - 1, description="seed of the first episode; episode k has seed + k")
    deterministic: bool = True


class PlayConfig(Section):
    """Which model `rl-pipeline play` loads when the command line names none."""

    experiment: str | None = Field(None, description="an experiment's folder or its name; null: the newest")
    pretrained_model: str = Field("best_model", description="a model of that experiment: best_model, model or a file")


class RosConfig(Section):
    """The ROS side: how players are reached, and what the launch scripts run."""

    backend: Literal["direct", "ros2", "mlagents"] = "direct"
    tcp_ip: str = Field("127.0.0.1", description="address the endpoint listens on; 0.0.0.0 admits other machines")
    tcp_port: int = Field(10000, ge=0, le=65535, description="0: any free port")
    one_port_per_environment: bool = Field(False, description="listen on tcp_port + i for environment i")
    package_name: str = "examples_pkg"
    node_name: str = "train"


class UnityConfig(Section):
    """The players: a Unity standalone build, or the embedded simulator."""

    build_path: str = Field("embedded", description="an executable, or `embedded` for the MuJoCo player")
    launch: bool = Field(True, description="false: wait for players that are started elsewhere")
    headless_mode: bool = True
    pause: bool = Field(True, description="simulated time stands still between a response and the next request")
    sample_time: float = Field(0.0, ge=0.0, description="control period in simulated seconds; 0: the scene's own")
    time_scale: float = Field(0.0, ge=0.0, description="simulated seconds per second; 0: as fast as possible")
    connect_timeout: float = Field(60.0, gt=0.0, description="seconds a player may take to connect")
    step_timeout: float = Field(30.0, gt=0.0, description="seconds a player may take to answer")


class SimulationConfig(Section):
    """What config.yml says of this machine."""

    n_environments: int = Field(4, gt=0, le=4096)
    ros: RosConfig = RosConfig()
    unity: UnityConfig = UnityConfig()


class Config(Section):
    """The canonical configuration. Other spellings are translated to it before they get here (see aliases.py)."""

    experiment: ExperimentConfig = ExperimentConfig()
    environment: EnvironmentConfig = EnvironmentConfig()
    algorithm: AlgorithmConfig = AlgorithmConfig()
    training: TrainingConfig = TrainingConfig()
    wrappers: dict[str, Any] = {}
    robot: dict[str, Any] = {}
    expert: dict[str, Any] = {}
    wandb_run: WandbRunConfig = WandbRunConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    play: PlayConfig = PlayConfig()
    simulation: SimulationConfig = SimulationConfig()
