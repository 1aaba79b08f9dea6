"""Example of a simulator without Gymnasium, and of its registration as an environment of the runner.

rl-pipeline runner --train --file examples/runner/point_mass.yaml
"""

import numpy as np
from gymnasium import spaces

from rl_pipeline.rl_games import IVecEnv, env_configurations, vecenv

PERIOD = 0.1  # s
EPISODE = 50  # steps
DRAG = 0.5  # N s/m


class PointMasses:
    """N masses of 1 kg in the plane, each with a target to rest at."""

    def __init__(self, count, reach=1.0):
        self.reach = reach
        self.positions = np.zeros((count, 2))  # m
        self.velocities = np.zeros((count, 2))  # m/s
        self.targets = np.zeros((count, 2))  # m

    def place(self, which, generator):
        """Draw positions and targets of the masses with these indices, within `reach` of the origin on each axis."""
        for array in (self.positions, self.targets):
            array[which] = generator.uniform(-self.reach, self.reach, (len(which), 2))
        self.velocities[which] = 0.0

    def push(self, forces):
        """Apply forces, (N, 2) in newtons, for one period."""
        self.velocities += (forces - DRAG * self.velocities) * PERIOD
        self.positions += self.velocities * PERIOD

    def errors(self):
        """Return the vectors from masses to targets, (N, 2) in metres."""
        return self.targets - self.positions


class PointMassVecEnv(IVecEnv):
    """The masses as N environments: observations, rewards, success."""

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

        # Only the time limit ends an episode; the next one of the same mass begins at once.
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
