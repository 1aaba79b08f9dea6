"""How values are read: quoted numbers, booleans and nulls."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.config.values import unquoted


def read(folder: Path, text: str) -> Config:
    file = folder / "mine.yaml"
    file.write_text(text)
    return load_config(config_file=file, machine_file=NO_MACHINE_FILE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7e-5", 7e-5), ("0.0003", 0.0003), ("-3", -3), (" 12 ", 12), ("1e5", 1e5), (".5", 0.5), ("5.", 5.0), ("+2", 2)],
)
def test_text_that_spells_a_number_becomes_it(text: str, expected: float) -> None:
    assert unquoted(text) == expected
    assert type(unquoted(text)) is type(expected)


@pytest.mark.parametrize("text", ["", "auto", "auto_0.1", "nan", "inf", "1_000", "0x10", "1e", "2024-01-01", "-"])
def test_other_text_stays(text: str) -> None:
    assert unquoted(text) == text


def test_quoted_numbers_become_numbers_among_hyperparameters(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "algorithm:\n"
        "  parameters: {learning_rate: '0.0003', ent_coef: auto_0.1, n_steps: '12', train_freq: ['1', episode]}\n"
        "  architecture: {net_arch: ['64', 64], features_extractor_kwargs: {features_dim: '8'}}\n"
        "training: {total_timesteps: '1e5', seed: 7.0}\nunity: {sample_time: '7e-5'}\n",
    )
    assert config.algorithm.parameters == {
        "learning_rate": 0.0003,
        "ent_coef": "auto_0.1",
        "n_steps": 12,
        "train_freq": [1, "episode"],
    }
    assert config.algorithm.architecture.net_arch == [64, 64]
    assert config.algorithm.architecture.features_extractor_kwargs == {"features_dim": 8}
    assert (config.training.total_timesteps, config.training.seed) == (100_000, 7)
    assert config.simulation.unity.sample_time == 7e-5


def test_unquoted_exponents_are_numbers(tmp_path: Path) -> None:
    assert (
        read(tmp_path, "algorithm: {parameters: {learning_rate: 7e-5}}").algorithm.parameters["learning_rate"] == 7e-5
    )


def test_an_environment_gets_its_quoted_text_as_it_is(tmp_path: Path) -> None:
    config = read(tmp_path, "environment: {env_config: {map_name: '4', speed: 4, nothing: 'None'}}")
    assert config.environment.env_config == {"map_name": "4", "speed": 4, "nothing": None}


@pytest.mark.parametrize(("text", "expected"), [("'on'", True), ("'off'", False), ("yes", True), ("'False'", False)])
def test_words_for_true_and_false_are_booleans(tmp_path: Path, text: str, expected: bool) -> None:
    assert read(tmp_path, f"training: {{use_wandb: {text}}}").training.use_wandb is expected


@pytest.mark.parametrize("null", ["'None'", "'null'", "null", "None", "~", ""])
def test_each_spelling_of_null_is_null(tmp_path: Path, null: str) -> None:
    config = read(
        tmp_path,
        f"environment:\n  env_config: {null}\n  render_mode: {null}\ntraining:\n  pretrained_model: {null}\n"
        f"wandb_run: {null}\nwrappers: {null}\nalgorithm:\n  parameters: {null}\n",
    )
    assert config.environment.env_config is None
    assert config.environment.render_mode is None
    assert config.training.pretrained_model is None
    assert config.wrappers == {}
    assert config.algorithm.parameters == {}


def test_null_in_documented_run_keys_leaves_the_default(tmp_path: Path) -> None:
    config = read(tmp_path, "run: {id: null, eval_seed: 'None'}")
    assert config == Config()


@pytest.mark.parametrize(("text", "expected"), [("true", 1), ("false", 0), ("2", 2), ("'1'", 1)])
def test_verbose_may_be_a_truth_value(tmp_path: Path, text: str, expected: int) -> None:
    verbose = read(tmp_path, f"training: {{verbose: {text}}}").training.verbose
    assert verbose == expected
    assert type(verbose) is int


@pytest.mark.parametrize(
    ("text", "enabled"),
    [
        ("self_play: {save_steps: 500, window: 4}", True),
        ("defaults: [duel_ppo, _self_]\nself_play: {save_steps: 500}", True),
        ("defaults: [duel_ppo, _self_]", False),
        ("self_play: {enabled: false, save_steps: 500}", False),
        ("defaults: [duel_self_play, _self_]\nself_play: {enabled: false}", False),
        ("self_play: null", False),
    ],
)
def test_a_self_play_block_switches_self_play_on(tmp_path: Path, text: str, enabled: bool) -> None:
    assert read(tmp_path, text).training.self_play.enabled is enabled


def test_a_name_may_be_none(tmp_path: Path) -> None:
    assert read(tmp_path, "experiment: {name: 'None'}").experiment.name == "None"


def test_configurations_share_no_mutable_default() -> None:
    first, second = Config(), Config()
    first.algorithm.parameters["gamma"] = 0.5
    first.wandb_run.tags.append("x")
    first.algorithm.architecture.features_extractor_kwargs["a"] = 1
    assert second == Config()
    assert second.algorithm.parameters == {}
