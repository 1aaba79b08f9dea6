"""A task of the navigation scene with a Dict observation: arrays of several shapes and dtypes."""

import numpy as np
from gymnasium import spaces

from rl_pipeline.tasks.navigation import NavigationTask


class DictTask(NavigationTask):
    def __init__(self):
        super().__init__()
        self.observation_space = spaces.Dict(
            {
                "lidar": spaces.Box(0, np.inf, (30,), np.float32),
                "place": spaces.Box(-np.inf, np.inf, (2,), np.float32),
                "target": spaces.Discrete(2),
                "tags": spaces.Box(0, 255, (30,), np.uint8),
            }
        )

    def observation(self, state):
        here, goal = state.pose.position, state.target.position
        return {
            "lidar": state.lidar.ranges.copy(),
            "place": np.stack([here.x, here.y], axis=1).astype(np.float32),
            "target": (np.hypot(goal.x - here.x, goal.y - here.y) < 1.0).astype(np.int64),
            "tags": state.lidar.tags.copy(),
        }
