"""Where the time of a step goes, by the stamps of requests and responses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_pipeline.envs.vector_env import PlayerVectorEnv
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.tasks.navigation import NavigationTask
from rl_pipeline.transport.timing import Stamps, communication

MILLISECOND = 1e-3


def stamps(requests, processing, responses, ahead=0.0, player=0):
    """Calls one a second to a player whose clock is `ahead` seconds ahead, of these durations in ms."""
    there, inside, back = (MILLISECOND * np.array(column, float) for column in (requests, processing, responses))
    sent = np.arange(len(there), dtype=float)
    received = sent + there
    return Stamps(
        np.arange(len(there)), np.full(len(there), player), sent, received + ahead, received + inside + ahead,
        received + inside + back,
    )  # fmt: skip


def together(*parts):
    rows = [vars(part).values() for part in parts]
    return Stamps.of_columns([np.concatenate(column) for column in zip(*rows, strict=True)])


def milliseconds(statistics):
    return {name: round(value / MILLISECOND, 6) for name, value in vars(statistics).items()}


def test_figures_of_one_clock_are_what_was_measured():
    figures = communication(stamps([1, 2, 6], [10, 10, 40], [3, 1, 2]), [0.5, 0.1])
    assert milliseconds(figures.request_latency) == pytest.approx(
        {"current": 6, "mean": 3, "sd": 2.160247, "minimum": 1, "maximum": 6}
    )
    assert milliseconds(figures.processing)["current"] == 40
    assert milliseconds(figures.response_latency)["mean"] == 2
    assert milliseconds(figures.round_trip)["maximum"] == 48
    assert milliseconds(figures.inference) == {"current": 100, "mean": 300, "sd": 200, "minimum": 100, "maximum": 500}
    assert (figures.calls, figures.players, figures.clock_offset.seconds) == (3, 1, 0.0)


@given(st.floats(-1e6, 1e6), st.lists(st.tuples(*[st.floats(0.01, 50.0)] * 3), min_size=1, max_size=20))
def test_offset_of_a_clock_is_found_to_within_what_is_said(ahead, durations):
    figures = communication(stamps(*zip(*durations, strict=True), ahead=ahead), [0.0])
    offset = figures.clock_offset
    assert abs(offset.seconds - ahead) <= offset.uncertainty + 1e-9
    assert figures.request_latency.minimum >= -1e-9
    assert figures.response_latency.minimum >= -1e-9


def test_only_the_clock_that_differs_is_corrected():
    here, there = stamps([1, 3], [5, 5], [1, 1]), stamps([2, 4], [5, 5], [2, 4], ahead=-7.5, player=1)
    figures = communication(together(here, there), [0.0])
    assert figures.clock_offset.player == 1
    assert figures.clock_offset.seconds == pytest.approx(-7.5)
    assert figures.clock_offset.uncertainty == pytest.approx(2 * MILLISECOND)
    assert milliseconds(figures.request_latency) == pytest.approx(
        {"current": 3.5, "mean": 2.5, "sd": 1.118034, "minimum": 1, "maximum": 4}
    )


def test_nothing_is_said_before_there_is_anything():
    assert communication(Stamps.of_columns([]), []) is None


def test_steps_of_real_players_are_taken_apart(tmp_path, settings):
    with Simulation(settings("embedded"), "navigation", tmp_path) as simulation:
        env = PlayerVectorEnv(NavigationTask(), simulation, 2)
        env.reset(seed=0)
        assert env.communication is None
        for _ in range(5):
            env.step(np.zeros((2, 2), np.float32))
        figures = env.communication
    assert (figures.calls, figures.players) == (5, 2)
    parts = (figures.request_latency, figures.processing, figures.response_latency)
    assert all(part.minimum > 0.0 for part in parts)
    assert sum(part.mean for part in parts) == pytest.approx(figures.round_trip.mean, rel=1e-3)
    assert figures.round_trip.current <= figures.round_trip.maximum


def test_clock_that_stands_says_nothing_of_latencies(tmp_path, settings):
    """The handmade player stamps everything with the beginning of 1970."""
    with Simulation(settings(), "navigation", tmp_path) as simulation:
        env = PlayerVectorEnv(NavigationTask(), simulation, 1)
        env.reset(seed=0)
        env.step(np.zeros((1, 2), np.float32))
        assert env.communication.clock_offset.seconds < -1e9
        env.step(np.zeros((1, 2), np.float32))
        figures = env.communication
    assert (figures.request_latency, figures.response_latency, figures.clock_offset) == (None, None, None)
    assert figures.round_trip.minimum > 0.0
