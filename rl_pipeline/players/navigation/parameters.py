"""What may vary from episode to episode of the navigation scene."""

from __future__ import annotations

from dataclasses import dataclass

from rl_pipeline.players.navigation.arena import OBSTACLES, START_GOAL_DISTANCE, Layout, lay_out
from rl_pipeline.players.parameters import SceneParameters, within


@dataclass(frozen=True)
class NavigationParameters(SceneParameters):
    """As interfaces_pkg/NavigationParameters has them.

    Attributes:
        obstacle_count: of the arena, rounded.
        goal_distance: greatest distance from start to goal, m.
        speed_scale: twist of the vehicle over the target twist.
        lidar_noise: standard deviation of the ranges, m.
    """

    obstacle_count: float = within(len(OBSTACLES), 0, len(OBSTACLES))
    goal_distance: float = within(START_GOAL_DISTANCE[1], 2.0, 11.0)
    speed_scale: float = within(1.0, 0.2, 1.5)
    lidar_noise: float = within(0.0, 0.0, 1.0)

    def layout(self, seed: int) -> Layout:
        """The arena of a seed."""
        return lay_out(seed, round(self.obstacle_count), self.goal_distance)
