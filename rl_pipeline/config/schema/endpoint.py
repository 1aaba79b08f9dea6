"""How the endpoint stands between players and ROS."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rl_pipeline.config.schema.section import Section

Reliability = Literal["reliable", "best_effort"]
Durability = Literal["volatile", "transient_local"]


class QosConfig(Section):
    """Quality of service of a topic; null: what suits the topic and its publishers."""

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
