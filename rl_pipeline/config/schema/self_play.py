"""Playing against one's own past."""

from __future__ import annotations

from pydantic import Field

from rl_pipeline.config.schema.section import Section


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
