"""A player that dies, hangs or sends nonsense costs its environments an episode, and is replaced."""

import os
import random
import re
import shlex
import signal
import socket
import time
from pathlib import Path

import numpy as np
import pytest

from rl_pipeline.benchmarks.canned import canned_simulation
from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.simulation.simulation import PlayerError, Simulation
from rl_pipeline.tasks.navigation import NavigationTask

FAULTY_PLAYER = Path(__file__).parents[1] / "support/faulty_player.py"
LATEST = 25.0
"""Seconds in which a player is back on a busy machine; a step that waits for it takes the 30 s of `step_timeout`."""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_lost_player_truncates_its_own_episode_and_is_back_at_once(simulation, how):
    players = simulation(step_timeout=2.0)
    env = PlayerVectorEnv(NavigationTask(), players, 3)
    env.reset(seed=0)
    actions = np.ones((3, 2), np.float32)
    before = env.step(actions)[0]
    os.kill(players.processes[1].pid, how)
    began = time.monotonic()
    observation, reward, terminated, truncated, info = env.step(actions)
    assert time.monotonic() - began < LATEST
    assert truncated.tolist() == [False, True, False]
    assert not terminated.any()
    assert reward[1] == 0.0
    assert info["final_info"]["player_lost"].tolist() == [False, True, False]
    np.testing.assert_array_equal(info["final_obs"][1], before[1])
    assert np.isfinite(observation).all()
    for _ in range(5):
        *_, truncated, info = env.step(actions)
        assert not truncated.any()


def test_all_players_lost_at_once_come_back(simulation):
    players = simulation()
    env = PlayerVectorEnv(NavigationTask(), players, 3)
    env.reset(seed=0)
    for player in players.processes.values():
        os.kill(player.pid, signal.SIGKILL)
    *_, truncated, _ = env.step(np.ones((3, 2), np.float32))
    assert truncated.all()
    *_, truncated, _ = env.step(np.ones((3, 2), np.float32))
    assert not truncated.any()


def test_player_that_dies_at_every_request_is_given_up_with_its_log(faulty):
    env = PlayerVectorEnv(NavigationTask(), faulty("dies", max_lifetime_restarts=3), 1)
    with pytest.raises(
        PlayerError,
        match=r"player 0 exited with code 1, and it was restarted 3 times, all that unity\.max_lifetime_restarts allows"
        r"(?s:.*)the scene is broken",
    ):
        env.reset(seed=0)


@pytest.fixture
def faulty(simulation, build):
    """Open a simulation of players with a fault, see tests/support/faulty_player.py."""

    def open_(fault, **unity):
        script = f'exec {{python}} {shlex.quote(str(FAULTY_PLAYER))} --fault {shlex.quote(fault)} "$@"'
        return simulation(build(script), **unity)

    return open_


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("truncated", r"NavigationStep_Response\.state\.\S+: expected at least \d+ bytes, found 300"),
        ("empty", r"expected a little-endian CDR header .*, found nothing"),
        ("oversized", r"\d+ bytes are left over"),
        ("huge length", r"lidar\.ranges: expected at least \d+ bytes"),
        ("another length", r"lidar\.ranges: expected length 30, found 29"),
    ],
)
def test_response_that_cannot_be_read_costs_one_episode_and_names_the_field(faulty, caplog, fault, message):
    players = faulty(fault)
    env = PlayerVectorEnv(NavigationTask(), players, 3)
    env.reset(seed=0)
    actions = np.ones((3, 2), np.float32)
    before = env.step(actions)[0]
    old = players.processes[1].pid
    observation, reward, _, truncated, info = env.step(actions)
    assert truncated.tolist() == [False, True, False]
    assert info["final_info"]["player_lost"].tolist() == [False, True, False]
    assert reward[1] == 0.0
    np.testing.assert_array_equal(info["final_obs"][1], before[1])
    assert np.isfinite(observation).all()
    assert players.processes[1].pid != old
    assert not env.step(actions)[3].any()
    (warning,) = [record for record in caplog.records if "cannot be read" in record.message]
    assert re.search(rf"player 1 sent a response that cannot be read: .*{message}", warning.message)
    assert not any(record.exc_info for record in caplog.records)


def test_build_with_other_interfaces_is_named_at_once(faulty):
    env = PlayerVectorEnv(NavigationTask(), faulty("other interfaces"), 2)
    with pytest.raises(
        PlayerError, match=r"player \d sent a response that cannot be read.*built with other interfaces"
    ):
        env.reset(seed=0)


@pytest.mark.slow
def test_two_hundred_kills_cost_their_episodes_and_nothing_else(tmp_path):
    config, _ = canned_simulation(tmp_path)
    choose = random.Random(0)
    actions = np.ones((8, 2), np.float32)
    kills = 0
    with Simulation(config, "navigation", tmp_path / "logs") as simulation:
        env = PlayerVectorEnv(NavigationTask(max_episode_steps=2**60), simulation, 8)
        env.reset(seed=0)
        honest = env.step(actions)[1][0]
        while kills < 200:
            victims = range(8) if kills % 40 == 0 else choose.sample(range(8), choose.randint(1, 2))
            for victim in victims:
                os.kill(simulation.processes[victim].pid, signal.SIGKILL)
                kills += 1
            lost = np.zeros(8, bool)
            for _ in range(20):
                began = time.monotonic()
                _, reward, terminated, truncated, info = env.step(actions)
                assert time.monotonic() - began < LATEST
                if truncated.any():
                    np.testing.assert_array_equal(info["final_info"]["player_lost"], truncated)
                assert not terminated.any()
                np.testing.assert_array_equal(reward, np.where(truncated, 0.0, honest))
                lost |= truncated
            assert lost.tolist() == [index in victims for index in range(8)]


def test_connection_that_is_cut_is_replaced(simulation):
    players = simulation()
    env = PlayerVectorEnv(NavigationTask(), players, 2)
    env.reset(seed=0)
    descriptor = os.dup(players.endpoint.services["/navigation_1/step"].fileno())
    with socket.socket(fileno=descriptor) as connection:
        connection.shutdown(socket.SHUT_RDWR)
    assert env.step(np.ones((2, 2), np.float32))[3].tolist() == [False, True]
    assert not env.step(np.ones((2, 2), np.float32))[3].any()


def test_build_that_never_answers_is_said_to_have_been_sent_zeros(faulty, caplog):
    env = PlayerVectorEnv(NavigationTask(), faulty("silent", step_timeout=0.3, max_lifetime_restarts=1), 1)
    zeros = r"--sample-time 0 \(unity\.sample_time: .*\) and --time-scale 0 \(unity\.time_scale: as fast as possible\)"
    with pytest.raises(PlayerError, match=rf"player 0 does not answer \(its command line has {zeros}"):
        env.reset(seed=0)
    assert re.search(rf"player 0 did not answer within 0\.3 s \(unity\.step_timeout\); .*{zeros}", caplog.text)


def test_build_that_was_sent_no_zeros_or_answered_before_is_not(simulation, caplog):
    players = simulation(step_timeout=0.5, sample_time=0.1)
    env = PlayerVectorEnv(NavigationTask(), players, 1)
    env.reset(seed=0)
    env.step(np.ones((1, 2), np.float32))
    os.kill(players.processes[0].pid, signal.SIGSTOP)
    env.step(np.ones((1, 2), np.float32))
    assert "player 0 did not answer within 0.5 s (unity.step_timeout)" in caplog.text
    assert "--time-scale" not in caplog.text
