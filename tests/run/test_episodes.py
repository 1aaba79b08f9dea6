"""An evaluation on the training's own players restarts the training's episodes, and no transition crosses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.experiment.checkpoints.run_state import State, read_states
from rl_pipeline.run.callbacks.evaluation import PeriodicEvaluation
from rl_pipeline.run.rl_trainer import RLTrainer

PLAIN, GOALS = "Counting-v0", "CountingGoals-v0"
EPISODE, STEP = 0, 1
"""Columns of an observation."""


class Counting(gymnasium.Env[Any, Any]):
    """Observations are the number of the episode and of the step: a true transition adds one to the step alone."""

    def __init__(self, goals: bool = False, render_mode: str | None = None) -> None:
        space = spaces.Box(0, 1000, (2,), np.float32)
        names = ("observation", "achieved_goal", "desired_goal")
        self.observation_space = spaces.Dict(dict.fromkeys(names, space)) if goals else space
        self.action_space = spaces.Box(-1, 1, (1,), np.float32)
        self._goals, self._episode, self._step = goals, 0, 0

    def _observation(self) -> Any:
        counted = np.array([self._episode, self._step], np.float32)
        return dict.fromkeys(self.observation_space, counted) if self._goals else counted

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._episode, self._step = self._episode + 1, 0
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._step += 1
        return self._observation(), 0.0, False, self._step == 7, {}

    def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
        return np.zeros(len(achieved))


@pytest.fixture(autouse=True)
def _shared_players(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, goals in ((PLAIN, False), (GOALS, True)):
        if name not in gymnasium.registry:
            gymnasium.register(name, Counting, kwargs={"goals": goals})
    monkeypatch.setattr(Environments, "shares_players", property(lambda _: True))


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The action noise of the model after each evaluation during training."""
    seen: list[Any] = []
    before_rollout = PeriodicEvaluation.before_rollout

    def watched(self: PeriodicEvaluation, timesteps: int) -> None:
        before = len(self._log.timesteps)
        before_rollout(self, timesteps)
        if len(self._log.timesteps) > before:
            noise: Any = self.model.action_noise
            seen.append(None if noise is None else [each.noise_prev.copy() for each in noise.noises])

    monkeypatch.setattr(PeriodicEvaluation, "before_rollout", watched)
    return seen


def replay_buffer(make_config: Callable[..., Config], environment: str, **parameters: Any) -> State:
    config = make_config(
        environment={"id": environment, "render_mode": None, "video_wrapper": False, "horizon": None},
        algorithm={
            "name": "sac",
            "parameters": {"learning_starts": 40, "buffer_size": 400, "batch_size": 8, "train_freq": 2, **parameters},
            "architecture": {"net_arch": [4]},
        },
        training={"total_timesteps": 96, "log_points": 1, "eval": {"num_evals": 4, "num_episodes": 1}},
        evaluation={"num_episodes": 1},
        wrappers={"normalize": {}},
    )
    return read_states(saved_states(RLTrainer(config).train().folder)[0])["replay_buffer"]


def assert_true(observations: Any, following: Any) -> None:
    assert np.array_equal(observations[..., EPISODE], following[..., EPISODE])
    assert np.array_equal(observations[..., STEP] + 1, following[..., STEP])


def test_normalised_observations_begin_with_those_of_the_new_episode(
    make_config: Callable[..., Config], evaluations: list[Any]
) -> None:
    noise = {"ornstein_uhlenbeck": {"sigma": 0.2, "theta": 0.3}}
    buffer = replay_buffer(make_config, PLAIN, action_noise=noise)
    assert len(evaluations) == 3  # the fourth is at the end
    assert all(not values.any() for noises in evaluations for values in noises)
    assert_true(buffer["observations"], buffer["next_observations"])


def test_hindsight_episodes_end_where_an_evaluation_begins(
    make_config: Callable[..., Config], evaluations: list[Any]
) -> None:
    buffer = replay_buffer(
        make_config, GOALS, replay_buffer_class="her", replay_buffer_kwargs={"n_sampled_goal": 4}
    )  # fmt: skip
    assert len(evaluations) == 3
    observations = buffer["observations.observation"]
    assert_true(observations, buffer["next_observations.observation"])
    # Goals are drawn from rows of the same episode.
    for (row, env), length in np.ndenumerate(buffer["ep_length"]):
        start = buffer["ep_start"][row, env]
        assert len(set(observations[start : start + length, env, EPISODE])) <= 1
