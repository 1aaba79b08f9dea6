"""Schema of the settings of a machine: environments, backend, ROS side and players."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from rl_pipeline.config.section import FileOrName, Section
from rl_pipeline.config.values import listed, secret

Reliability = Literal["reliable", "best_effort"]
Durability = Literal["volatile", "transient_local"]


class QosConfig(Section):
    """Quality of service of a topic; null: chosen for the topic and its publishers."""

    reliability: Reliability | None = Field(default=None, description="whether what is lost is sent again")
    durability: Durability | None = Field(
        default=None, description="transient_local: later subscribers get the last messages (latched)"
    )
    depth: int | None = Field(
        default=None, gt=0, description="messages kept in ROS, and for a player that reads too slowly"
    )


class EndpointConfig(Section):
    """The endpoint of `rl-pipeline endpoint`."""

    service_timeout: float = Field(
        default=30.0, gt=0.0, description="seconds that a service may take to answer, in either direction"
    )
    qos: dict[str, QosConfig] = Field(
        default={}, description="quality of service by topic, or by pattern such as /*/camera; the first match counts"
    )


Secret = Annotated[SecretStr, BeforeValidator(secret)]
Folders = Annotated[list[Path], BeforeValidator(listed)]


class RosConfig(Section):
    """ROS side: the address for players, and the node of the launch scripts."""

    launch_endpoint: bool = Field(
        default=True,
        description="with ros2: start the endpoint that players connect to; false: one runs, or players are ROS nodes",
    )
    tcp_ip: str = Field(
        default="127.0.0.1", min_length=1, description="address the endpoint listens on; 0.0.0.0 admits other machines"
    )
    tcp_port: int = Field(
        default=10000,
        ge=0,
        le=65535,
        description="port for players that are started elsewhere; 0, or with unity.launch: any free one",
    )
    one_port_per_environment: bool = Field(default=False, description="listen on tcp_port + i for environment i")
    token: Secret | None = Field(
        default=None, description="secret that players must know; null: every peer that can connect is served"
    )
    endpoint: EndpointConfig = Field(
        default=EndpointConfig(), description="how `rl-pipeline endpoint` stands between players and ROS"
    )
    package_name: str = Field(
        default="examples_pkg", min_length=1, description="ROS package that launch_node.bash runs"
    )
    node_name: str = Field(default="train", min_length=1, description="node of that package")


class UnityConfig(Section):
    """The players: a Unity standalone build, or the embedded simulator."""

    build_path: FileOrName = Field(
        default="embedded", min_length=1, description="an executable, or `embedded` for the MuJoCo player"
    )
    arguments: list[str] = Field(
        default=[], description="further arguments of the build, before those that every player is given"
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
    """Simulators of this machine, from config.yml."""

    n_environments: int = Field(default=4, gt=0, le=4096, description="environments that run in parallel")
    backend: str = Field(
        default="direct",
        description="direct: players connect to the trainer; ros2: by way of ROS services; or a registered backend",
    )
    worlds_per_player: int = Field(
        default=1,
        gt=0,
        le=1024,
        description="environments that one player simulates; a divisor of n_environments",
    )
    environment_processes: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="processes that share the environments of Gymnasium; 0: all are stepped in the trainer's own",
    )
    workspace: Folders = Field(
        default=[], description="folders with ROS packages of your own, searched for interface definitions first"
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

    @property
    def port(self) -> int:
        """The port to listen on, 0 for any free one: fixed only where others than launched players must find it."""
        ros = self.ros
        launches_all = self.unity.launch and (self.backend != "ros2" or ros.launch_endpoint)
        return 0 if launches_all and not ros.one_port_per_environment else ros.tcp_port

    def with_any_port(self) -> SimulationConfig:
        """Return the settings with any free port, for use during a training; players started elsewhere keep theirs.

        With ROS services it would be the training's players that answer, so that these are reached directly.
        """
        if not self.unity.launch:
            return self
        backend = "direct" if self.backend == "ros2" else self.backend
        return self.model_copy(update={"backend": backend, "ros": self.ros.model_copy(update={"tcp_port": 0})})
