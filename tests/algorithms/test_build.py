from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv

from rl_pipeline.algorithms.build import build
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError

SMALL = {
    "ppo": {"n_steps": 16, "batch_size": 16, "n_epochs": 1},
    "a2c": {"n_steps": 8},
    "trpo": {"n_steps": 16, "batch_size": 16, "n_critic_updates": 1},
    "recurrent_ppo": {"n_steps": 16, "batch_size": 16, "n_epochs": 1},
    "ars": {"n_delta": 1, "n_top": 1},
} | {
    name: {"learning_starts": 16, "buffer_size": 200, "batch_size": 8}
    for name in ("sac", "td3", "ddpg", "tqc", "crossq", "dqn", "qrdqn")
}  # fmt: skip
DISCRETE = ("dqn", "qrdqn", "ars")


@pytest.fixture
def pendulum() -> Iterator[VecEnv]:
    venv = make_vec_env("Pendulum-v1", n_envs=2)
    yield venv
    venv.close()


@pytest.fixture
def cartpole() -> Iterator[VecEnv]:
    venv = make_vec_env("CartPole-v1", n_envs=2)
    yield venv
    venv.close()


def config(name: str, parameters: dict[str, Any] | None = None, **training: Any) -> Config:
    return Config.model_validate({"algorithm": {"name": name, "parameters": parameters or {}}, "training": training})


@pytest.mark.parametrize("name", sorted(SMALL))
def test_every_algorithm_learns(name: str, request: pytest.FixtureRequest) -> None:
    venv = request.getfixturevalue("cartpole" if name in DISCRETE else "pendulum")
    model = build(config(name, SMALL[name], total_timesteps=40), venv)
    model.learn(40)
    assert model.num_timesteps >= 40


def test_an_unsuitable_action_space_is_refused(pendulum: VecEnv) -> None:
    with pytest.raises(InputError, match=r"DQN acts in Discrete action spaces, but .* has Box\(-2.0, 2.0"):
        build(config("dqn"), pendulum)


def test_what_the_constructor_refuses_is_one_line(cartpole: VecEnv) -> None:
    with pytest.raises(InputError, match=r"algorithm: PPO refuses the configuration: .*continuous actions") as refused:
        build(config("ppo", {"use_sde": True}), cartpole)
    assert "\n" not in str(refused.value)


def test_a_list_train_freq_schedules_and_noise_reach_the_algorithm(pendulum: VecEnv) -> None:
    rate = {"start": 1e-3, "end": 1e-4}
    parameters = {"train_freq": [4, "step"], "learning_rate": rate, "action_noise": {"normal": 0.1}, "buffer_size": 100}
    model: Any = build(config("td3", parameters), pendulum)
    assert model.train_freq.frequency == 4
    assert model.lr_schedule(1.0) == pytest.approx(1e-3)
    assert model.lr_schedule(0.0) == pytest.approx(1e-4)
    assert "sigma=[0.1]" in repr(model.action_noise)


def test_a_rollout_is_no_longer_than_the_run(cartpole: VecEnv, caplog: pytest.LogCaptureFixture) -> None:
    model: Any = build(config("ppo", {"n_steps": 8192, "batch_size": 50}, total_timesteps=100), cartpole)
    assert model.n_steps == 50
    assert "exceeds training.total_timesteps" in caplog.text


@pytest.mark.parametrize("parameters", [{"n_steps": 512, "batch_size": 256}, {}])
def test_a_batch_is_no_larger_than_a_rollout_that_was_shortened(
    cartpole: VecEnv, recwarn: pytest.WarningsRecorder, parameters: dict[str, Any]
) -> None:
    model: Any = build(config("ppo", parameters, total_timesteps=32), cartpole)
    assert (model.n_steps, model.batch_size) == (16, 32)
    assert not [str(warning.message) for warning in recwarn if "mini-batch" in str(warning.message)]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_without_cuda_falls_back_with_one_warning(cartpole: VecEnv, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        model = build(config("ppo", {"n_steps": 16, "batch_size": 16}, device="cuda"), cartpole)
    assert model.device.type == "cpu"
    assert len([record for record in caplog.records if "CUDA is not available" in record.message]) == 1
