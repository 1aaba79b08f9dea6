"""Example of a new algorithm: PPO that learns a style from demonstrations (AMP, Peng et al. 2021, arXiv:2104.02180).

A discriminator learns to distinguish transitions of the demonstrations from those of the agent; the agent is rewarded
for transitions that it classifies as demonstrated. Here this is the only reward.

rl-pipeline runner --train --file examples/runner/amp.yaml
"""

from functools import partial

import numpy as np
import point_mass
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnvWrapper

from rl_pipeline.algorithms import register_algorithm
from rl_pipeline.rl_games import Agent, Player, register_algorithm_builder, register_player_builder


class StyleRewards(VecEnvWrapper):
    """Wrapper that adds style rewards, and keeps the transitions for the discriminator."""

    def __init__(self, venv, judge, task_coef, style_coef):
        super().__init__(venv)
        self.judge = judge
        self.task_coef = task_coef
        self.style_coef = style_coef
        self.transitions = []

    def reset(self):
        self.last = self.venv.reset()
        return self.last

    def step_wait(self):
        observations, rewards, dones, infos = self.venv.step_wait()
        # The transition that ends an episode leads to its last observation, not to the first of the next.
        reached = observations.copy()
        for index in np.flatnonzero(dones):
            reached[index] = infos[index]["terminal_observation"]
        transitions = np.hstack([self.last, reached])
        self.transitions.append(transitions)
        self.last = observations

        rewards = self.task_coef * rewards + self.style_coef * self.judge(transitions)
        return observations, rewards.astype(np.float32), dones, infos


class AMP(PPO):
    """PPO with a discriminator; a subclass has the demonstrations."""

    def __init__(
        self,
        policy,
        env,
        *,
        task_coef: float = 0.0,
        style_coef: float = 1.0,
        disc_lr: float = 1e-3,
        disc_grad_penalty: float = 1.0,
        **kwargs,
    ):
        self.task_coef = task_coef
        self.style_coef = style_coef
        self.disc_lr = disc_lr
        self.disc_grad_penalty = disc_grad_penalty
        super().__init__(policy, env, **kwargs)

    def _setup_model(self):
        super()._setup_model()
        size = 2 * spaces.flatdim(self.observation_space)
        layers = torch.nn.Linear(size, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU()
        self.discriminator = torch.nn.Sequential(*layers, torch.nn.Linear(64, 1)).to(self.device)
        self.disc_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=self.disc_lr)
        self.env = StyleRewards(self.env, self.judge, self.task_coef, self.style_coef)

    def demonstrations(self):
        """Return transitions to imitate, (M, 2 x observation)."""
        raise NotImplementedError

    def judge(self, transitions):
        """Return style rewards of transitions, (N,) from 0 to 1."""
        with torch.no_grad():
            scores = self.discriminator(torch.as_tensor(transitions, dtype=torch.float32, device=self.device))
        return (1.0 - 0.25 * (scores - 1.0).square()).clamp(min=0.0).squeeze(1).cpu().numpy()

    def train(self):
        self.train_discriminator()
        super().train()

    def train_discriminator(self):
        """Take one pass over the latest transitions, each batch with as many demonstrated ones."""
        shown = torch.as_tensor(self.demonstrations(), dtype=torch.float32, device=self.device)
        own = torch.as_tensor(np.vstack(self.env.transitions), dtype=torch.float32, device=self.device)
        self.env.transitions.clear()

        # Least squares with targets 1 and -1, and a gradient penalty at the demonstrations.
        for batch in torch.randperm(len(own)).split(self.batch_size):
            real = shown[torch.randint(len(shown), batch.shape)].requires_grad_()
            real_scores, own_scores = self.discriminator(real), self.discriminator(own[batch])
            gradient = torch.autograd.grad(real_scores.sum(), real, create_graph=True)[0]
            loss = (real_scores - 1.0).square().mean() + (own_scores + 1.0).square().mean()
            loss = loss + self.disc_grad_penalty * gradient.square().sum(1).mean()
            self.disc_optimizer.zero_grad()
            loss.backward()
            self.disc_optimizer.step()

        self.logger.record("amp/demonstration_score", real_scores.mean().item())
        self.logger.record("amp/agent_score", own_scores.mean().item())

    def _get_torch_save_params(self):
        modules, tensors = super()._get_torch_save_params()
        return [*modules, "discriminator", "disc_optimizer"], tensors


class PointMassAMP(AMP):
    """AMP with demonstrations of a point mass that drives to its target."""

    def demonstrations(self):
        """Return transitions of a controller that pushes towards the target and brakes."""
        env = point_mass.PointMassVecEnv("PointMass-v0", 64)
        env.seed(0)
        observations, pairs = env.reset(), []
        for _ in range(point_mass.EPISODE):
            before = observations
            observations, _, _, infos = env.step(4.0 * before[:, :2] - 3.0 * before[:, 2:])
            pairs.append(np.hstack([before, infos["final_observation"]]))
        return np.vstack(pairs)


register_algorithm("amp", f"{__name__}:PointMassAMP", action_spaces=("Box",))
register_algorithm_builder("amp_continuous", partial(Agent, algorithm="amp"))
register_player_builder("amp_continuous", partial(Player, algorithm="amp"))
