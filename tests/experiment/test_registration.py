"""Loggers by name, and the keys that switch them on."""

from __future__ import annotations

from typing import Any

import pytest

from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.loggers.registration import logger_settings, make_loggers


@pytest.mark.parametrize(
    ("loggers", "message"),
    [
        ({"wandbb": {}}, "loggers.wandbb: unknown logger 'wandbb'; did you mean 'wandb'?"),
        ({"wandb": {"projekt": 1}}, "loggers.wandb.projekt: unknown setting of wandb 'projekt'; did you mean 'proj"),
        ({"wandb": {"mode": "on"}}, "loggers.wandb.mode: input should be 'online' or 'offline', found 'on'"),
        ({"wandb": [1]}, "loggers.wandb: expected its settings, true or null, found [1]"),
    ],
)
def test_a_wrong_logger_or_setting_is_an_error_before_the_start(loggers: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        make_loggers(Config.model_validate({"loggers": loggers}))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("sections", "names"),
    [
        ({}, []),
        ({"training": {"use_wandb": True}}, ["wandb"]),
        ({"training": {"run_type": "wandb"}}, ["wandb"]),
        ({"loggers": {"wandb": {}, "mlflow": None}}, ["wandb"]),
        ({"loggers": {"wandb": True}, "training": {"run_type": "debug"}}, []),
        ({"loggers": {"wandb": False}, "training": {"run_type": "tensorboard"}}, []),
    ],
)
def test_keys_of_before_switch_weights_and_biases_on(sections: dict[str, Any], names: list[str]) -> None:
    assert list(logger_settings(Config.model_validate(sections))) == names


def test_settings_below_loggers_win_over_wandb_run() -> None:
    sections = {"wandb_run": {"project_name": "a", "group": "g"}, "loggers": {"wandb": {"project_name": "b"}}}
    chosen = logger_settings(Config.model_validate(sections))["wandb"]
    assert (chosen["project_name"], chosen["group"]) == ("b", "g")
