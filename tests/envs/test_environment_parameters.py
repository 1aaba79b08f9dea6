import json

import numpy as np
import pytest

from rl_pipeline.envs.parameters import EnvironmentParameters
from rl_pipeline.envs.parameters.curriculum import Curriculum
from rl_pipeline.errors import InputError
from rl_pipeline.tasks.duel import DuelTask

NAMES = ("strength", "count")
SEEDS = np.arange(2000)


def sampler(kind, **parameters):
    return {"sampler_type": kind, "sampler_parameters": parameters}


def drawn(given, seeds=SEEDS):
    return EnvironmentParameters(NAMES, {"strength": given}, "Duel-v0").sample(seeds)["strength"]


def lessons(*values, **criteria):
    criteria = {"measure": "success_rate", "threshold": 0.7, "min_lesson_length": 5, **criteria}
    stages = [{"name": f"lesson {value}", "value": value, "completion_criteria": criteria} for value in values]
    del stages[-1]["completion_criteria"]
    return {"curriculum": stages}


def curriculum(*values, **criteria):
    parameters = EnvironmentParameters(NAMES, {"strength": lessons(*values, **criteria)}, "Duel-v0")
    return parameters, Curriculum(parameters)


def test_parameters_are_those_that_the_reset_service_names():
    assert EnvironmentParameters.of(DuelTask(), {}).names == (
        "bot_strength",
        "cover_pairs",
        "dispersion",
        "speed_scale",
    )


def test_a_number_is_the_value_of_each_episode_and_what_is_not_said_is_not_drawn():
    sample = EnvironmentParameters(NAMES, {"strength": 0.9}, "Duel-v0").sample(np.arange(3))
    assert {name: values.tolist() for name, values in sample.items()} == {"strength": [0.9] * 3}


def test_samplers_draw_from_their_distributions():
    even = drawn(sampler("uniform", min_value=2.0, max_value=4.0))
    assert 2.0 <= even.min() < 2.05 < 3.95 < even.max() <= 4.0
    normal = drawn(sampler("gaussian", mean=1.0, st_dev=0.5))
    assert (normal.mean(), normal.std()) == (pytest.approx(1.0, abs=0.05), pytest.approx(0.5, abs=0.05))
    ranges = drawn(sampler("multirangeuniform", intervals=[[0, 1], [5, 8]]))
    upper = ranges[ranges >= 5]
    assert ((ranges <= 1) | (ranges >= 5)).all()
    assert len(upper) / len(ranges) == pytest.approx(0.75, abs=0.05)


def test_what_is_drawn_depends_on_the_seed_of_the_episode_alone():
    given = sampler("uniform", min_value=0.0, max_value=1.0)
    in_order, shuffled = drawn(given, np.arange(10)), drawn(given, np.array([7, 3]))
    assert shuffled.tolist() == in_order[[7, 3]].tolist()
    assert len(set(in_order.tolist())) == 10


def test_parameters_are_drawn_independently_of_each_other():
    given = sampler("uniform", min_value=0.0, max_value=1.0)
    both = EnvironmentParameters(NAMES, {"strength": given, "count": given}, "Duel-v0").sample(SEEDS)
    assert both["strength"].tolist() == drawn(given).tolist()
    assert abs(np.corrcoef(both["strength"], both["count"])[0, 1]) < 0.1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strenght": 1.0}, "environment.parameters: unknown parameter of Duel-v0 'strenght'; did you mean 'strength'"),
        ({"strength": "high"}, "environment.parameters.strength: expected a number or a sampler, found 'high'"),
        ({"strength": True}, "expected a number or a sampler, found True"),
        ({"strength": sampler("unifrom")}, "strength.sampler_type: unknown sampler 'unifrom'; did you mean 'uniform'"),
        ({"strength": sampler("uniform", min_value=1)}, "sampler_parameters: expected the key 'max_value'"),
        ({"strength": sampler("uniform", min=1)}, "unknown key 'min'; did you mean 'min_value'"),
        ({"strength": sampler("uniform", min_value=2, max_value=1)}, "expected the least value first, found 2 and 1"),
        ({"strength": sampler("gaussian", mean=2, st_dev=-1)}, "st_dev: expected a number of at least 0, found -1"),
        ({"strength": sampler("multirangeuniform", intervals=[1, 2])}, "expected a list of intervals"),
        ({"strength": {"curriculum": []}}, "strength.curriculum: expected a list of lessons"),
        ({"strength": {"curriculum": [{"value": 1}, {"value": 2}]}}, r"curriculum\[0\]: expected completion_criteria"),
        ({"strength": lessons(1, 2, measure="succes_rate")}, "unknown measure 'succes_rate'; did you mean 'success_"),
        ({"strength": lessons(1, 2, min_lesson_length=0)}, "min_lesson_length: expected a whole number of at least 1"),
        ({"strength": lessons(1, 2, signal_smoothing=1)}, "signal_smoothing: expected true or false, found 1"),
        ({"strength": lessons(1, 2, treshold=1)}, "unknown key 'treshold'; did you mean 'threshold'"),
    ],
)
def test_a_mistake_is_told_with_its_key(given, message):
    with pytest.raises(InputError, match=message):
        EnvironmentParameters(NAMES, given, "Duel-v0")


def test_an_environment_without_parameters_says_so():
    with pytest.raises(InputError, match=r"CartPole-v1 has no parameters, found 'mass'"):
        EnvironmentParameters((), {"mass": 1.0}, "CartPole-v1")


def test_a_lesson_is_over_when_enough_episodes_of_it_succeed():
    parameters, course = curriculum(0.1, 0.5, 0.9, signal_smoothing=False)
    for success in (True, True, False, True, True):
        assert parameters.sample(SEEDS[:1])["strength"][0] == 0.1
        course.episode_ended(0.0, success, 0.0)
    assert parameters.sample(SEEDS[:1])["strength"][0] == 0.5
    for success in (True, True, False, False, True, True, True):
        course.episode_ended(0.0, success, 0.0)
    assert course.lessons == {"strength": 1}, "three of the last five is too few"
    course.episode_ended(0.0, True, 0.0)
    assert course.lessons == {"strength": 2}
    for _ in range(20):
        course.episode_ended(0.0, True, 0.0)
    assert parameters.sample(SEEDS[:1])["strength"][0] == 0.9


def test_smoothing_delays_a_lesson():
    for smoothing, expected in ((False, 1), (True, 0)):
        _, course = curriculum(0.1, 0.5, signal_smoothing=smoothing, threshold=0.9, min_lesson_length=2)
        for success in (False, False, True, True):
            course.episode_ended(0.0, success, 0.0)
        assert course.lessons == {"strength": expected}


@pytest.mark.parametrize(("measure", "threshold"), [("reward", 3.0), ("progress", 0.3)])
def test_reward_and_progress_are_measures_too(measure, threshold):
    _, course = curriculum(0.1, 0.5, measure=measure, threshold=threshold, min_lesson_length=2)
    for _ in range(3):
        course.episode_ended(2.5, None, 0.25)
    assert course.lessons == {"strength": 0}
    for _ in range(6):
        course.episode_ended(3.5, None, 0.35)
    assert course.lessons == {"strength": 1}


def test_a_success_rate_cannot_be_measured_where_none_is_reported():
    with pytest.raises(InputError, match=r"environment.parameters.strength: its task reports no success"):
        curriculum(0.1, 0.5)[1].episode_ended(1.0, None, 0.0)


def test_agents_are_judged_by_the_last_lesson():
    parameters, _ = curriculum(0.1, 0.5, 0.9)
    assert parameters.at_last_lesson().sample(SEEDS[:2])["strength"].tolist() == [0.9, 0.9]
    assert parameters.sample(SEEDS[:1])["strength"][0] == 0.1


def test_a_curriculum_goes_on_where_its_state_was_taken():
    results = np.random.default_rng(0).random(60) < np.linspace(0.4, 0.95, 60)
    _, course = curriculum(0.1, 0.5, 0.9)
    for success in results[:30]:
        course.episode_ended(0.0, bool(success), 0.0)
    _, resumed = curriculum(0.1, 0.5, 0.9)
    resumed.load_state_dict(json.loads(json.dumps(course.state_dict())))
    for success in results[30:]:
        for each in (course, resumed):
            each.episode_ended(0.0, bool(success), 0.0)
        assert resumed.state_dict() == course.state_dict()
    assert course.lessons["strength"] > 0
