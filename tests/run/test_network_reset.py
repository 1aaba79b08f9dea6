"""Networks that are reset during a training."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.checkpoints.checkpointer import saved_states
from rl_pipeline.run.callbacks.network_reset import NetworkReset
from rl_pipeline.run.resuming import resume
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]

UNSEEN = {"render_mode": None, "video_wrapper": False}


@pytest.mark.parametrize(("algorithm", "env_id"), [(SAC, "Pendulum-v1"), (DQN, "CartPole-v1")])
def test_a_reset_leaves_new_networks_fresh_optimizers_and_the_replay_buffer(
    algorithm: type[BaseAlgorithm], env_id: str
) -> None:
    settings: dict[str, Any] = {"policy_kwargs": {"net_arch": [8]}, "buffer_size": 100, "learning_starts": 8}
    model: Any = algorithm("MlpPolicy", env_id, train_freq=1, seed=0, device="cpu", **settings).learn(20)
    reset = NetworkReset(10)
    reset.init_callback(model)
    reset.restored(20)
    before = {key: value.clone() for key, value in model.policy.state_dict().items()}
    reset.before_rollout(20)
    assert all(torch.equal(value, before[key]) for key, value in model.policy.state_dict().items()), "resumed at 20"
    reset.before_rollout(30)
    weights = [key for key in before if key.endswith("weight")]
    assert not any(torch.equal(model.policy.state_dict()[key], before[key]) for key in weights)
    optimizer = model.critic.optimizer if algorithm is SAC else model.policy.optimizer
    assert not optimizer.state
    assert model.replay_buffer.size() == 20
    model.learn(10, reset_num_timesteps=False)
    assert np.isfinite(model.predict(model.observation_space.sample())[0]).all()


@pytest.mark.slow
def test_a_run_with_resets_goes_on_exactly(make_config: MakeConfig) -> None:
    config = make_config(
        environment={"id": "Pendulum-v1", **UNSEEN},
        algorithm={"name": "sac", "parameters": {"learning_starts": 32, "batch_size": 16}},
        training={"total_timesteps": 192, "log_points": 3, "resetting_interval": 64, "eval": {"num_evals": 0}},
    )
    config.algorithm.architecture.net_arch = [8]
    folder = RLTrainer(config).train().folder
    assert folder.log.read_text().count("new networks at") == 2
    expected = load_from_zip_file(folder.model, load_data=False)[1]["policy"]
    saved_states(folder)[0].unlink()
    folder.metadata.write_text(json.dumps({"status": "running"}))
    silent = Console(file=io.StringIO())
    resume(str(folder.path), folder.path.parent, (), console=silent, progress=silent)
    found = load_from_zip_file(folder.model, load_data=False)[1]["policy"]
    assert all(torch.equal(value, found[key]) for key, value in expected.items())


def test_an_algorithm_without_a_replay_buffer_is_not_reset(make_config: MakeConfig) -> None:
    with pytest.raises(InputError, match=r"training.resetting_interval: expected an algorithm .* found PPO"):
        RLTrainer(make_config(training={"resetting_interval": 64}))
