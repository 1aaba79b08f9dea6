"""Rollouts: episodes are assigned to environments beforehand, and recurrent states carried through them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.envs.unwrapping import environment_name
from rl_pipeline.evaluation import rollout
from rl_pipeline.evaluation.agents import ZeroAgent
from rl_pipeline.evaluation.rollout import play_episodes
from rl_pipeline.run.interruption import Interruption, RunInterrupted


class Countdown(gymnasium.Env[Any, Any]):
    """Episode k of this environment lasts as long as `lengths` says; each step pays 1."""

    observation_space = spaces.Box(-1, 1, (1,))
    action_space = spaces.Discrete(2)

    def __init__(self, lengths: list[int], lost: int | None = None) -> None:
        self.lengths, self.episode, self.left, self.lost = lengths, -1, 0, lost

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.episode += 1
        self.left = self.lengths[self.episode % len(self.lengths)]
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        info = {"is_success": self.episode % 2 == 0, "player_lost": self.episode == self.lost}
        return np.zeros(1, np.float32), 1.0, self.left == 0, False, info if self.left == 0 else {}


def environments(*lengths: list[int], lost: int | None = None) -> DummyVecEnv:
    makers: list[Callable[[], gymnasium.Env[Any, Any]]] = [
        lambda lengths=lengths_of_one: Countdown(lengths, lost) for lengths_of_one in lengths
    ]
    return DummyVecEnv(makers)


def test_short_episodes_are_not_counted_more_often() -> None:
    venv = environments([1, 2, 3], [50, 60, 70])
    episodes = play_episodes(ZeroAgent(venv.action_space, 2), venv, 5, seed=0)
    assert episodes.lengths.tolist() == [1, 50, 2, 60, 3]
    assert episodes.returns.tolist() == [1, 50, 2, 60, 3]
    assert episodes.successes is not None
    assert episodes.successes.tolist() == [True, True, False, False, True]


def test_fewer_episodes_than_environments() -> None:
    venv = environments([2], [3], [4])
    assert play_episodes(ZeroAgent(venv.action_space, 3), venv, 2, seed=0).lengths.tolist() == [2, 3]


def test_a_lost_player_is_reported() -> None:
    venv = environments([1, 1, 1], lost=1)
    assert play_episodes(ZeroAgent(venv.action_space, 1), venv, 3, seed=0).lost.tolist() == [False, True, False]


def test_an_interruption_ends_the_loop() -> None:
    interruption = Interruption()
    interruption.requested = True
    venv = environments([1000])
    with pytest.raises(RunInterrupted):
        play_episodes(ZeroAgent(venv.action_space, 1), venv, 1, seed=0, each_step=interruption.check)


def test_recurrent_states_are_carried_and_episode_starts_given() -> None:
    seen: list[tuple[Any, list[bool]]] = []

    class Counter:
        def predict(
            self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
        ) -> tuple[Any, int]:
            seen.append((state, episode_start.tolist()))
            return np.zeros(1, int), (state or 0) + 1

    play_episodes(Counter(), environments([2, 1]), 2, seed=0)
    assert seen == [(None, [True]), (1, [False]), (2, [True])]


def test_an_evaluation_whose_players_were_all_lost_is_repeated(caplog: pytest.LogCaptureFixture) -> None:
    venv = environments([1, 1, 1], lost=0)
    episodes = play_episodes(ZeroAgent(venv.action_space, 1), venv, 1, seed=0)
    assert episodes.lost.tolist() == [False]
    assert "repeating the evaluation" in caplog.text


def test_an_episode_without_end_is_named_with_the_key_that_ends_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rollout, "NOTICE_INTERVAL", 0.0)
    caplog.set_level("INFO")
    venv = environments([3])
    play_episodes(ZeroAgent(venv.action_space, 1), venv, 2, seed=0)
    assert len(caplog.messages) == 4, "two steps of each of two episodes end none"
    assert "waiting for the end of an episode of Countdown for 0 s, 2 steps; environment.horizon" in caplog.text


@pytest.mark.parametrize(
    ("environment_id", "name"), [("CartPole-v1", "CartPole-v1"), ("rl_pipeline/Navigation-v0", "NavigationTask")]
)
def test_evaluation_horizon_bounds_evaluations_and_not_the_training(
    make_config: Callable[..., Config], tmp_path: Path, environment_id: str, name: str
) -> None:
    config = make_config(
        environment={"id": environment_id, "horizon": None, "render_mode": None, "video_wrapper": False},
        evaluation={"horizon": 4},
    )
    with Environments(config, tmp_path) as both:
        training, judging = both.training(), both.evaluation(1, seed=0)
        assert environment_name(judging) == name
        training.reset()
        actions = np.stack([training.action_space.sample() for _ in range(2)])
        assert not any(training.step(actions)[2].any() for _ in range(4))
        assert play_episodes(ZeroAgent(judging.action_space, 1), judging, 2, seed=0).lengths.tolist() == [4, 4]
