"""Who answered when, over the last calls."""

import math
import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask
from rl_pipeline.transport.timing import WINDOW, ResponseLog


def test_time_waited_for_one_player_alone_is_its_share():
    log = ResponseLog(3)
    players, moments = log.begin(10.0)
    players += [1, 2]
    moments += [10.1, 10.5]
    players, moments = log.begin(20.0)
    players += [2, 1]
    moments += [20.2, 20.5]
    times = log.summary()
    assert math.isnan(times.mean[0])
    assert times.mean[1:].tolist() == pytest.approx([0.3, 0.35])
    assert times.maximum[1:].tolist() == pytest.approx([0.5, 0.5])
    assert times.share.tolist() == pytest.approx([0.0, 0.3, 0.4])
    assert times.slowest == 2


@given(st.lists(st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4), min_size=1, max_size=WINDOW + 20))
def test_figures_are_those_of_the_window(calls):
    log = ResponseLog(4)
    for call in calls:
        players, moments = log.begin(0.0)
        players += np.argsort(call, kind="stable").tolist()
        moments += sorted(call)
    window = np.array(calls[-WINDOW:])
    times = log.summary()
    np.testing.assert_allclose(times.mean, window.mean(axis=0))
    np.testing.assert_allclose(times.maximum, window.max(axis=0))
    assert times.median == pytest.approx(float(np.median(window)))
    assert times.calls == len(window)
    assert 0.0 <= times.share.sum() <= 1.0 + 1e-9


def test_slow_player_is_shown_to_hold_up_the_others(settings, tmp_path):
    with Simulation(settings(), "navigation", tmp_path) as simulation:
        env = PlayerVectorEnv(NavigationTask(), simulation, 3)
        env.reset(seed=0)
        slow = simulation.processes[1].pid
        for _ in range(3):
            os.kill(slow, signal.SIGSTOP)
            waking = threading.Timer(0.1, os.kill, (slow, signal.SIGCONT))
            waking.start()
            env.step(np.ones((3, 2), np.float32))
            waking.join()
        times = env.response_times
    assert times.slowest == 1
    assert times.share[1] > 0.5
    assert times.mean[1] > 0.05 > times.mean[0]
