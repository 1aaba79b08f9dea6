from __future__ import annotations

import math
from typing import Any

import pytest
from stable_baselines3.common.env_util import make_vec_env

from rl_pipeline.algorithms.build import build
from rl_pipeline.algorithms.schedules import parse_schedule
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError


@pytest.mark.parametrize(
    ("setting", "quarter", "end"),
    [
        ({"schedule": "linear", "initial": 4.0, "final": 0.0}, 3.0, 0.0),
        ({"start": 4.0, "end": 2.0}, 3.5, 2.0),
        ({"initial": 4.0, "end_fraction": 0.5}, 2.0, 0.0),
        ("lin_4", 3.0, 0.0),
        ("lin_ 4", 3.0, 0.0),
        ("linear_4.0", 3.0, 0.0),
        ("cosine_4", 2 + 2 * math.cos(math.pi / 4), 0.0),
        ({"schedule": "cosine", "initial": 2.0, "final": 0.0}, 1 + math.cos(math.pi / 4), 0.0),
        ({"schedule": "exponential", "initial": 16.0, "final": 1.0}, 8.0, 1.0),
        ({"schedule": "constant", "initial": 3.0}, 3.0, 3.0),
    ],
)
def test_a_rate_follows_its_schedule(setting: dict[str, Any] | str, quarter: float, end: float) -> None:
    rate = parse_schedule("rate", setting)
    initial = 4.0 if isinstance(setting, str) else setting.get("initial", setting.get("start"))
    assert rate(1.0) == pytest.approx(initial)
    assert rate(0.75) == pytest.approx(quarter)
    assert rate(0.0) == pytest.approx(end)


def test_linear_alone_falls_from_the_default() -> None:
    rate = parse_schedule("rate", "linear", 4.0)
    assert (rate(1.0), rate(0.75), rate(0.0)) == (4.0, 3.0, 0.0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"schedule": "linaer", "initial": 1.0}, "rate: unknown schedule 'linaer'; did you mean 'linear'"),
        ({"initial": 1.0, "finale": 0.0}, "rate.finale: unknown setting of a schedule 'finale'; did you mean 'final'"),
        ({"initial": "high"}, "rate.initial: expected a number, found 'high'"),
        ({"final": 0.1}, "rate: expected a number or a schedule with its initial value"),
        ({"schedule": "exponential", "initial": 1.0, "final": 0.0}, "needs initial and final above 0"),
        ({"initial": 1.0, "end_fraction": 0.0}, r"rate.end_fraction: expected a number in \(0, 1\], found 0"),
        ("line_4", "rate: expected a number or a schedule such as lin_3e-4, linear, cosine_3e-4 or .*, found 'line_4'"),
        ("lin_four", "rate: expected a number or a schedule such as lin_3e-4"),
        ("lin_1e999", "rate.initial: expected a number, found inf"),
        ("linear", "rate: expected an initial value, such as linear_0.1, found 'linear'"),
    ],
)
def test_another_setting_is_refused(setting: dict[str, Any] | str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_schedule("rate", setting)


def test_ornstein_uhlenbeck_noise_takes_its_settings() -> None:
    noise = {"ornstein_uhlenbeck": {"sigma": 0.3, "theta": 0.5, "dt": 0.02}}
    algorithm = {"name": "sac", "parameters": {"action_noise": noise, "buffer_size": 10, "learning_rate": "lin_1e-3"}}
    config = Config.model_validate({"environment": {"id": "Pendulum-v1"}, "algorithm": algorithm})
    model: Any = build(config, make_vec_env("Pendulum-v1"))
    assert model.action_noise._theta == 0.5
    assert model.action_noise._dt == 0.02
    assert model.lr_schedule(0.5) == pytest.approx(5e-4)


def test_an_unknown_setting_of_noise_is_refused() -> None:
    algorithm = {"name": "sac", "parameters": {"action_noise": {"normal": {"sigma": 0.1, "theta": 1}}}}
    config = Config.model_validate({"environment": {"id": "Pendulum-v1"}, "algorithm": algorithm})
    with pytest.raises(InputError, match="unknown setting of normal noise 'theta'"):
        build(config, make_vec_env("Pendulum-v1"))
