"""A policy outside of training sees what it saw in training: its preprocessing comes with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rl_pipeline.config.schema import Config
from rl_pipeline.envs.factory import Environments
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.environments import open_evaluation_environments
from rl_pipeline.evaluation.policy import load_policy
from rl_pipeline.evaluation.rollout import play_episodes
from rl_pipeline.evaluation.selection import select
from rl_pipeline.run.rl_trainer import RLTrainer

MakeConfig = Callable[..., Config]
WRAPPERS = {"normalize": {}, "frame_stack": {"n_stack": 3}}


@pytest.mark.parametrize("name", ["ppo", "recurrent_ppo"])
def test_a_loaded_policy_acts_as_the_agent_in_the_environments_does(
    make_config: MakeConfig, tmp_path: Path, name: str
) -> None:
    small = {"net_arch": [8]} | ({"policy_kwargs": {"lstm_hidden_size": 8}} if name == "recurrent_ppo" else {})
    parameters = {"n_steps": 32, "batch_size": 32, "n_epochs": 1}
    algorithm = {"name": name, "parameters": parameters, "architecture": small}
    training = {"total_timesteps": 64}
    config = make_config(
        algorithm=algorithm, training=training, wrappers=WRAPPERS, environment={"render_mode": None}
    )  # fmt: skip
    folder = RLTrainer(config).train().folder
    selection = select(config, experiment=str(folder.path), model=None, agent="trained")
    policy = load_policy(folder.path)
    with Environments(selection.config, tmp_path) as environments:
        venv = open_evaluation_environments(environments, selection.config, 1, 7)
        agent = selection.make_agent(venv)
        expected = play_episodes(agent, venv, 3, 7)
        raw = open_evaluation_environments(environments, selection.config, 1, 7).unwrapped
        raw.seed(7)
        observation, returns, total = raw.reset(), [], 0.0
        while len(returns) < 3:
            observation, reward, done, _ = raw.step(policy.predict(observation))
            total += float(reward[0])
            if done[0]:
                policy.reset()
                returns.append(total)
                total = 0.0
    assert returns == expected.returns.tolist()


def test_one_observation_gives_one_action(make_config: MakeConfig) -> None:
    folder = RLTrainer(make_config(training={"total_timesteps": 64}, environment={"render_mode": None})).train().folder
    policy = load_policy(folder.path, "model")
    assert policy.predict(np.zeros(4, np.float32)).shape == ()
    assert policy.predict(np.zeros((1, 4), np.float32)).shape == (1,)


def test_a_model_file_brings_its_configuration(make_config: MakeConfig, tmp_path: Path) -> None:
    folder = RLTrainer(make_config(training={"total_timesteps": 64}, environment={"render_mode": None})).train().folder
    downloaded = Path(shutil.copy(folder.best_model, tmp_path / "agent.zip"))
    observation = np.array([0.1, -0.2, 0.3, -0.4], np.float32)
    for file in (folder.best_model, downloaded):
        assert load_policy(file).predict(observation) == load_policy(folder.path).predict(observation)


def test_a_model_without_the_normaliser_of_its_configuration_is_refused(make_config: MakeConfig) -> None:
    config = make_config(training={"total_timesteps": 64}, environment={"render_mode": None})
    folder = RLTrainer(config).train().folder
    other = make_config(wrappers={"normalize": {}}, training={"pretrained_model": str(folder.model)})
    with pytest.raises(InputError, match=r"model.zip was trained without wrappers.normalize"):
        RLTrainer(other)


def test_a_folder_that_is_no_experiment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no experiment: it has no config.yaml"):
        load_policy(tmp_path)
