"""Problems of a configuration are reported together, before a training starts, with the file and the key of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.cli.exit import BAD_INPUT
from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.errors import InputError
from rl_pipeline.run.plan import TrainingPlan


@pytest.fixture(autouse=True)
def _empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems(text: str, *overrides: str) -> list[str]:
    """The lines of the error that a file with this text gives."""
    Path("mine.yaml").write_text(text)
    config = load_config(config_file=Path("mine.yaml"), machine_file=NO_MACHINE_FILE, overrides=overrides)
    with pytest.raises(InputError) as refused:
        TrainingPlan.of(config)
    return str(refused.value).splitlines()


def test_each_problem_is_one_line_with_the_file_and_the_key_as_spelled_there() -> None:
    text = """
environment: {id: CartPoel-v1}
training:
  algorithm: td3
  algorithm_parameters: {n_timesteps: 3e5, noise_type: normal, normalize: true, n_envs: 4, tau: 2}
  architecture: {net_arch: {pi: [8]}}
  callbacks: {nowhere: {}}
"""
    found = problems(text, "algorithm.parameters.gamma=3", "training.pretrained_model=lost.zip")
    assert found[:7] == [
        "mine.yaml: training.algorithm_parameters.n_timesteps: set training.total_timesteps instead",
        "mine.yaml: training.algorithm_parameters.noise_type: set algorithm.parameters.action_noise instead",
        "mine.yaml: training.algorithm_parameters.normalize: set wrappers.normalize instead",
        "mine.yaml: training.algorithm_parameters.n_envs: set n_environments instead",
        "mine.yaml: training.algorithm_parameters.tau: expected a number above 0 and at most 1, found 2",
        "command line: algorithm.parameters.gamma: expected a number from 0 to 1, found 3",
        "mine.yaml: training.architecture.net_arch: TD3 needs pi and qf; qf is missing",
    ]
    assert [line.partition(": ")[2].partition(": ")[0] for line in found[7:]] == [
        "environment.id",
        "training.pretrained_model",
        "training.callbacks.nowhere",
    ]


def test_a_problem_of_a_configuration_without_files_is_named_by_its_key() -> None:
    config = Config.model_validate({"algorithm": {"name": "ppo", "parameters": {"gamma": 3}}})
    with pytest.raises(InputError, match=r"^algorithm\.parameters\.gamma: expected a number from 0 to 1, found 3$"):
        TrainingPlan.of(config)


@pytest.mark.parametrize("arguments", [[], ["--cfg", "job"]])
def test_the_command_lists_problems_of_schema_and_algorithm_together(
    arguments: list[str], capsys: pytest.CaptureFixture[str], calls_command: None
) -> None:
    Path("mine.yaml").write_text("algorithm: {name: ppo, parameters: {gama: 1}}\ntraining: {seed: x, sed: 1}\n")
    assert cli.run(["train", "--config", "mine.yaml", "n_environments=0", *arguments]) == BAD_INPUT
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.rpartition("expected")[0] or line for line in said.err.splitlines()] == [
        "error: mine.yaml: unknown key 'training.sed'; did you mean 'training.seed'?",
        "mine.yaml: training.seed: ",
        "command line: n_environments: ",
        "mine.yaml: algorithm.parameters.gama: unknown hyperparameter of PPO 'gama'; did you mean 'gamma'?",
    ]


def test_cfg_job_refuses_what_a_training_refuses(capsys: pytest.CaptureFixture[str], calls_command: None) -> None:
    Path("mine.yaml").write_text("environment: {id: CartPole-v1}\nalgorithm: {name: ppo, parameters: {gama: 1}}\n")
    assert cli.run(["train", "--config", "mine.yaml", "--cfg", "job"]) == BAD_INPUT
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "error: mine.yaml: algorithm.parameters.gama: unknown hyperparameter of PPO 'gama'; did you mean 'gamma'?\n"
    )


def test_updates_after_episodes_need_one_environment() -> None:
    text = """
environment: {id: Pendulum-v1}
algorithm: {name: sac, parameters: {train_freq: [1, episode], buffer_size: 10}}
n_environments: 4
"""
    assert problems(text) == [
        "mine.yaml: algorithm.parameters.train_freq: expected one environment with [1, 'episode'], found "
        "n_environments 4; set n_environments=1, or count steps, such as train_freq=[4, step]"
    ]
    one = load_config(config_file=Path("mine.yaml"), machine_file=NO_MACHINE_FILE, overrides=["n_environments=1"])
    TrainingPlan.of(one)
