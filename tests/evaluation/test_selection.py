"""Model files of Stable-Baselines3 itself, which hold neither a configuration nor statistics of a normaliser."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from stable_baselines3 import PPO

from rl_pipeline import cli
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.policy import load_policy


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    PPO("MlpPolicy", "CartPole-v1", n_steps=32, batch_size=32, device="cpu").save("sb3")
    return tmp_path / "sb3.zip"


def test_a_plain_model_is_judged_in_the_environment_of_the_named_configuration(
    plain: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    Path("config.yml").write_text("experiment: navigation_ppo\nsimulation: {n_environments: 1}\n")
    with caplog.at_level(logging.WARNING, "rl_pipeline"):
        command = ["evaluate", "--model", "sb3.zip", "--config-name", "cartpole_ppo", "--episodes", "2", "--json", "-"]
        assert cli.run(command) == 0
    assert json.loads(capsys.readouterr().out)["environment"] == "CartPole-v1"
    assert "sb3.zip holds no statistics of a normaliser" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "sb3.zip holds no configuration and has no config.yaml next to it: name the one to use, by --config-name"),
        (
            ["--config-name", "cartpole_ppo", "+wrappers.normalize={}"],
            "expected a configuration without wrappers.normalize",
        ),
        (["--config-name", "pendulum_sac"], "sb3.zip does not fit SAC with this architecture"),
    ],
)
def test_a_plain_model_without_a_configuration_that_suits_it_is_refused(
    plain: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.run(["evaluate", "--model", "sb3.zip", "--episodes", "2", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_plain_model_is_no_policy_by_itself(plain: Path) -> None:
    with pytest.raises(InputError, match=r"sb3.zip holds no configuration"):
        load_policy(plain)
