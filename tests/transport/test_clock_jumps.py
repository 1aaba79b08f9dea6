"""The wall clock may be set while players are served: deadlines are not told by it."""

import itertools
import time

import pytest

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.simulation.restart_quota import RestartQuota
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.transport.service_batch import ServiceBatch

RESET = load_interfaces().service("interfaces_pkg/NavigationReset")
YEAR = 365 * 24 * 3600


@pytest.fixture
def jumping_clock(monkeypatch):
    """A wall clock that is a year ahead, a year behind, a year ahead, ..."""
    jumps, real = itertools.cycle([YEAR, -YEAR]), time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + next(jumps) * 10**9)
    monkeypatch.setattr(time, "time", lambda: time.time_ns() / 1e9)


def test_players_start_answer_and_are_replaced_while_the_clock_jumps(jumping_clock, settings, tmp_path):
    with Simulation(settings(), "navigation", tmp_path) as simulation:
        simulation.start(2)
        resets = ServiceBatch(simulation.endpoint, RESET, ["/navigation_0/reset", "/navigation_1/reset"])
        resets.send()
        assert resets.receive(5.0) == []
        simulation.replace({1: ""})
        resets.send()
        assert resets.receive(5.0) == []


def test_a_deadline_passes_when_it_should_while_the_clock_jumps(jumping_clock, endpoint, raw_player):
    raw_player().command("__unity_service", topic="/s", message_name="interfaces_pkg/NavigationReset")
    assert endpoint.wait_until(lambda: "/s" in endpoint.services, 5)
    silent = ServiceBatch(endpoint, RESET, ["/s"])
    began = time.monotonic()
    silent.send()
    assert silent.receive(0.2) == [0]
    assert 0.2 <= time.monotonic() - began < 10.0


def test_the_period_of_the_restart_quota_does_not_pass_when_the_clock_jumps(jumping_clock, settings):
    quota = RestartQuota(settings(restarts_rate_limit_n=2, restarts_rate_limit_period_s=60).unity)
    assert [quota.spend(0), quota.spend(0)] == [None, None]
    assert "unity.restarts_rate_limit_n" in quota.spend(0)
