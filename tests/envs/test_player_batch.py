"""Environments that share players are environments like any other."""

import os
import signal

import numpy as np
import pytest

from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.envs.player_batch import BatchSettings, PlayerBatch
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask

NUM_ENVS = 6
EVERYONE = np.arange(NUM_ENVS)
SEEDS = np.arange(NUM_ENVS, dtype=np.int64)
STILL = np.zeros((NUM_ENVS, 2), np.float32)


@pytest.fixture
def simulation(tmp_path, monkeypatch):
    """Embedded players."""
    monkeypatch.setenv("MUJOCO_GL", "disabled")
    config = SimulationConfig.model_validate({"ros": {"tcp_port": 0}, "unity": {"connect_timeout": 30.0}})
    with Simulation(config, "navigation", tmp_path / "logs") as simulation:
        yield simulation


class LastsAsLongAsItsGoalIsFar(NavigationTask):
    """Episodes that end at different times, whoever simulates them."""

    def terminated(self, state):
        return state.pose.position.x * 10 % 1 < 0.2


def kill(simulation, player):
    process = simulation.processes[player]
    os.kill(process.pid, signal.SIGKILL)


def test_episodes_are_those_of_one_world_players_whichever_worlds_end(simulation):
    actions = np.random.default_rng(0).uniform(-1, 1, (60, NUM_ENVS, 2)).astype(np.float32)

    def episodes(worlds):
        task = LastsAsLongAsItsGoalIsFar(max_episode_steps=20)
        env = PlayerVectorEnv(task, simulation, NUM_ENVS, BatchSettings(worlds=worlds), seed=3)
        steps = [env.reset(seed=3)[0]]
        ends = 0
        for action in actions:
            observation, reward, terminated, truncated, info = env.step(action)
            ended = int((terminated | truncated).sum())
            ends += 0 < ended < NUM_ENVS
            steps += [observation, reward, terminated, truncated, info.get("final_obs", observation)]
        assert ends > 10
        return steps

    alone, shared = episodes(1), episodes(3)
    for ours, theirs in zip(shared, alone, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_player_lost_ends_the_episodes_of_its_worlds_alone(simulation):
    env = PlayerVectorEnv(NavigationTask(), simulation, NUM_ENVS, BatchSettings(worlds=3))
    env.reset(seed=0)
    env.step(STILL)
    kill(simulation, env.players[1])
    _, reward, terminated, truncated, info = env.step(STILL)
    assert truncated.tolist() == [False] * 3 + [True] * 3
    assert not terminated.any()
    assert (reward[3:] == 0.0).all()
    assert info["final_info"]["player_lost"].tolist() == truncated.tolist()
    *_, truncated, info = env.step(STILL)
    assert not truncated.any()


def test_a_player_lost_while_some_of_its_worlds_are_reset_ends_the_episodes_of_the_others(simulation):
    batch = PlayerBatch(NavigationTask(), simulation, NUM_ENVS, BatchSettings(worlds=3))
    batch.reset(EVERYONE, SEEDS)
    batch.step(STILL)
    kill(simulation, batch.players[0])
    batch.reset(np.array([1]), np.array([50]))
    replacement = simulation.processes[batch.players[0]]
    transition = batch.step(STILL)
    assert transition.lost.tolist() == [True, False, True, False, False, False]
    assert transition.truncated.tolist() == [True, False, True, False, False, False]
    batch.reset(np.array([0, 2]), SEEDS[:2])
    assert simulation.processes[batch.players[0]] is replacement, "it was replaced already"
    assert batch.step(STILL).lost is None


def test_the_first_world_of_a_player_is_filmed(simulation):
    env = PlayerVectorEnv(NavigationTask(), simulation, NUM_ENVS, BatchSettings(frames=True, worlds=3))
    env.rendering[0] = True
    env.reset(seed=0)
    assert [env.frame(index) is not None for index in range(NUM_ENVS)] == [True] + [False] * 5
    first = env.frame(0)
    assert first.shape == (480, 640, 3)
    env.step(np.ones((NUM_ENVS, 2), np.float32))
    assert (env.frame(0) != first).any()
