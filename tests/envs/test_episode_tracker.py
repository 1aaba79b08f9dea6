"""The parameters of an episode reach the scene, and depend on its seed alone."""

import gymnasium
import numpy as np
import pytest

import rl_pipeline.envs
from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.player_batch import BatchSettings
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.tasks.navigation import NavigationTask

VARIED = {
    "goal_distance": {"sampler_type": "uniform", "sampler_parameters": {"min_value": 2.0, "max_value": 8.0}},
    "obstacle_count": 3,
}


def goal_distances(simulation, count, worlds):
    """Distances to the goal at the beginning of the first eight episodes."""
    parameters = EnvironmentParameters.of(NavigationTask(), VARIED)
    env = PlayerVectorEnv(
        NavigationTask(), simulation, count, BatchSettings(horizon=1, worlds=worlds, parameters=parameters)
    )
    observation, _ = env.reset(seed=3)
    distances = [*observation[:, 2]]
    while len(distances) < 8:
        distances += [*env.step(np.zeros((count, 2), np.float32))[0][:, 2]]
    return distances


@pytest.mark.slow
def test_parameters_of_an_episode_depend_on_its_seed_however_many_environments_there_are(simulation):
    alone = goal_distances(simulation("embedded"), 1, 1)
    together = goal_distances(simulation("embedded"), 4, 2)
    np.testing.assert_array_equal(alone, together)
    assert len(set(alone)) == 8


def test_a_single_environment_takes_parameters():
    assert rl_pipeline.envs is not None
    env = gymnasium.make("rl_pipeline/Navigation-v0", parameters={"goal_distance": 2.0, "obstacle_count": 0})
    try:
        for seed in range(5):
            observation, _ = env.reset(seed=seed)
            assert 0.75 <= 10 * observation[2] <= 2.0
    finally:
        env.close()
