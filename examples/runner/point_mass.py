"""A simulator that knows nothing of Gymnasium, and what makes it an environment of the runner.

rl-pipeline runner --train --file examples/runner/point_mass.yaml
"""

import numpy as np
from gymnasium import spaces

from rl_pipeline.rl_games import IVecEnv, env_configurations, vecenv

PERIOD = 0.1  # s
EPISODE = 50  # steps
DRAG = 0.5  # N s/m


class PointMasses:
    """N masses of 1 kg in the plane; each is to come to rest at a target of its own."""

    def __init__(self, count, reach=1.0):
        self.reach = reach
        self.positions, self.velocities, self.targets = (np.zeros((count, 2)) for _ in range(3))

    def place(self, which, generator):
        """Put the masses with these indices, and their targets, somewhere within `reach` of the origin."""
        for array in (self.positions, self.targets):
            array[which] = generator.uniform(-self.reach, self.reach, (len(which), 2))
        self.velocities[which] = 0.0

    def push(self, forces):
        """Let forces, (N, 2) in newtons, act for one period."""
        self.velocities += (forces - DRAG * self.velocities) * PERIOD
        self.positions += self.velocities * PERIOD

    def errors(self):
        """From each mass to its target, (N, 2) in metres."""
        return self.targets - self.positions


class PointMassVecEnv(IVecEnv):
    """The masses as N environments: what is observed, rewarded and counted as success."""

    def __init__(self, config_name, num_actors, **kwargs):
        self.masses = env_configurations.configurations[config_name]["env_creator"](count=num_actors, **kwargs)
        self.steps = np.zeros(num_actors, int)
        self.generator = np.random.default_rng()

    def get_env_info(self):
        return {
            "observation_space": spaces.Box(-np.inf, np.inf, (4,), np.float32),
            "action_space": spaces.Box(-1.0, 1.0, (2,), np.float32),
        }

    def seed(self, seed):
        self.generator = np.random.default_rng(seed)

    def reset(self):
        return self.begin(np.arange(len(self.steps)))

    def step(self, actions):
        self.masses.push(np.clip(actions, -1.0, 1.0))
        self.steps += 1
        distances = np.linalg.norm(self.masses.errors(), axis=1)
        dones = self.steps >= EPISODE
        final = self.observe()
        infos = {"time_outs": dones, "final_observation": final, "is_success": distances < 0.1}
        return self.begin(np.flatnonzero(dones)), -distances, dones, infos

    def begin(self, which):
        self.masses.place(which, self.generator)
        self.steps[which] = 0
        return self.observe()

    def observe(self):
        return np.hstack([self.masses.errors(), self.masses.velocities]).astype(np.float32)


vecenv.register("POINT_MASS", PointMassVecEnv)
env_configurations.register("PointMass-v0", {"vecenv_type": "POINT_MASS", "env_creator": PointMasses})
