"""How often players are restarted, and what is said when that is enough."""

import os
import signal
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_pipeline.config.schema import UnityConfig
from rl_pipeline.simulation.restart_quota import RestartQuota
from rl_pipeline.simulation.simulation import PlayerError, Simulation

# Works when it is started the first time, and fails at its start from then on.
ONCE = (
    'if [ -e "$0.started" ]; then echo "no licence left"; {end}; fi; touch "$0.started"; exec {python} {handmade} "$@"'
)


def quota(lifetime=-1, rate=-1, period=60.0, clock=time.monotonic):
    unity = UnityConfig(max_lifetime_restarts=lifetime, restarts_rate_limit_n=rate, restarts_rate_limit_period_s=period)
    return RestartQuota(unity, clock)


@given(
    waits=st.lists(st.floats(0.0, 30.0), max_size=60),
    rate=st.integers(0, 5),
    period=st.floats(1.0, 60.0),
    lifetime=st.integers(-1, 20),
)
def test_limits_are_never_exceeded_and_nothing_within_them_is_refused(waits, rate, period, lifetime):
    now, granted = 0.0, []
    restarts = quota(lifetime, rate, period, lambda: now)
    for wait in waits:
        now += wait
        recent = [moment for moment in granted if now - moment < period]
        allowed = len(recent) < rate and (lifetime == -1 or len(granted) < lifetime)
        assert (restarts.spend(0) is None) == allowed
        if allowed:
            granted.append(now)


def test_each_player_has_a_quota_of_its_own():
    restarts = quota(lifetime=1)
    assert [restarts.spend(player) is None for player in (0, 1, 0, 1, 2)] == [True, True, False, False, True]


def test_any_number_may_be_allowed():
    restarts = quota()
    assert all(restarts.spend(0) is None for _ in range(1000))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_lifetime_restarts": 3}, r"restarted 3 times, all that unity\.max_lifetime_restarts allows"),
        (
            {"restarts_rate_limit_n": 2, "restarts_rate_limit_period_s": 50},
            r"restarted 2 times within 50 s \(unity\.\w+\), all that unity\.restarts_rate_limit_n allows",
        ),
        ({"max_lifetime_restarts": 1}, r"restarted once, all that unity\.max_lifetime_restarts allows"),
        ({"max_lifetime_restarts": 0}, r"player 0 was killed by SIGKILL, and unity\.max_lifetime_restarts is 0"),
    ],
)
def test_player_that_exits_at_each_start_ends_with_the_key_and_its_log(settings, build, tmp_path, limits, message):
    with Simulation(settings(build(ONCE.replace("{end}", "exit 3")), **limits), "navigation", tmp_path) as simulation:
        simulation.start(1)
        os.kill(simulation.processes[0].pid, signal.SIGKILL)
        with pytest.raises(PlayerError, match=message) as raised:
            simulation.replace({0: ""})
    assert ("no licence left" in str(raised.value)) == (limits != {"max_lifetime_restarts": 0})


def test_player_that_hangs_at_its_start_is_started_again(settings, build, tmp_path):
    script = """if [ -e "$0.1" ] && [ ! -e "$0.2" ]; then touch "$0.2"; exec sleep 60; fi
touch "$0.1"; exec {python} {handmade} "$@" """
    with Simulation(settings(build(script), connect_timeout=1.0), "navigation", tmp_path) as simulation:
        simulation.start(1)
        first = simulation.processes[0].pid
        os.kill(first, signal.SIGKILL)
        simulation.replace({0: ""})
        assert simulation.processes[0].pid != first
        assert "/navigation_0/step" in simulation.endpoint.services


def test_default_quota_bears_two_hundred_losses_of_one_player_over_a_run():
    now = 0.0
    restarts = RestartQuota(UnityConfig(), lambda: now)
    for _ in range(200):
        assert restarts.spend(0) is None
        now += 1.0
    assert "max_lifetime_restarts" in restarts.spend(0)
