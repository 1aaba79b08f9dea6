"""The task of a user of the cart build: keep the cart in the middle of its track."""

import numpy as np
from gymnasium import spaces

from rl_pipeline.envs import register_task
from rl_pipeline.envs.task import Task


class CartTask(Task):
    """Position, velocity and distances to both ends; the force that pushes the cart."""

    scene = "cart"
    reset_service, step_service = "cart_msgs/CartReset", "cart_msgs/CartStep"
    observation_space = spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    max_episode_steps = 50

    def reset_request(self, num_envs):
        return {"reset": True}

    def request(self, actions):
        return {"force": 5.0 * actions[:, 0]}

    def observation(self, state):
        return np.column_stack([state.position, state.velocity, state.distances]).astype(np.float32)

    def reward(self, previous, actions, state):
        return 1.0 - np.abs(state.position)

    def terminated(self, state):
        return np.abs(state.position) > 2.0


register_task("Cart-v0", CartTask)
