"""Actions become part of the observation."""

from __future__ import annotations

from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.wrappers import wrap
from tests.support.wrapped_pendulum import TRAINING, act


def test_the_last_actions_are_observed_and_forgotten_with_the_episode(pendulum: VecEnv) -> None:
    venv = wrap(pendulum, {"action_history": {"length": 2}}, TRAINING)
    assert venv.observation_space.shape == (5,)
    assert venv.reset()[:, 3:].tolist() == [[0, 0]] * 2
    act(venv, 0.5)
    observations, _, dones, infos = act(venv, -1.0)
    assert observations[:, 3:].tolist() == [[0.5, -1.0]] * 2
    while not dones.any():
        observations, _, dones, infos = act(venv, 1.0)
    assert infos[0]["terminal_observation"][3:].tolist() == [1.0, 1.0]
    assert observations[:, 3:].tolist() == [[0, 0]] * 2
