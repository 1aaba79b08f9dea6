"""Models built without a simulator: wrappers process the observations that the stub is given."""

import numpy as np
from gymnasium import spaces

from rl_pipeline.config.schema import Config
from rl_pipeline.evaluation.stub_vec_env import StubVecEnv, build_for_spaces

OBSERVATIONS = spaces.Box(-1.0, 1.0, (3,), np.float32)
ACTIONS = spaces.Box(-1.0, 1.0, (2,), np.float32)


def test_the_stub_returns_the_observations_that_were_set():
    stub = StubVecEnv(OBSERVATIONS, ACTIONS, 2)
    stub.observations = np.full((2, 3), 0.5, np.float32)
    assert stub.reset() is stub.observations
    stub.dones = np.array([True, False])
    observations, rewards, dones, infos = stub.step(np.zeros((2, 2), np.float32))
    assert observations is stub.observations
    assert rewards.tolist() == [0.0, 0.0]
    assert dones.tolist() == [True, False]
    assert ["terminal_observation" in info for info in infos] == [True, False]


def test_a_model_is_built_in_the_wrappers_of_its_configuration():
    config = Config.model_validate({"wrappers": {"frame_stack": {"n_stack": 4}}})
    model = build_for_spaces(config, OBSERVATIONS, ACTIONS)
    assert model.observation_space.shape == (12,)
    assert model.n_envs == config.simulation.n_environments
    assert model.device.type == "cpu"
