"""An experiment file that names a number of environments outweighs config.yml; elsewhere config.yml decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline.config import config_origin, load_config, outweighed

KEY = "simulation.n_environments"


@pytest.fixture(autouse=True)
def _workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yml").write_text("n_environments: 2\n")


def number(text: str, *overrides: str, of_run: bool = False) -> int:
    Path("mine.yaml").write_text(text)
    config = load_config(config_file=Path("mine.yaml"), overrides=overrides, of_run=of_run)
    return config.simulation.n_environments


def test_the_experiment_file_wins_over_config_yml_and_that_is_said() -> None:
    assert number("training: {n_envs: 8}") == 8
    config = load_config(config_file=Path("mine.yaml"))
    assert outweighed(config) == ["mine.yaml: training.n_envs outweighs config.yml: n_environments"]
    assert str(config_origin(config, KEY)) == "mine.yaml: training.n_envs"


def test_the_command_line_wins_over_both() -> None:
    assert number("n_environments: 8", "n_environments=3") == 3


def test_config_yml_decides_where_the_experiment_names_no_number() -> None:
    assert number("training: {seed: 1}") == 2


def test_a_number_of_a_group_is_a_default_and_one_of_a_parent_experiment_is_not() -> None:
    Path("training").mkdir()
    Path("training/parallel.yaml").write_text("n_envs: 8\n")
    assert number("defaults: [training: parallel]") == 2
    Path("parent.yaml").write_text("n_environments: 8\n")
    assert number("defaults: [parent, _self_]") == 8
    assert number("defaults: [parent, _self_]\nn_environments: 6") == 6


@pytest.mark.parametrize("machine", ["unity: {launch: false}", "unity: {launch: 'off'}", "worlds_per_player: 2"])
def test_config_yml_decides_for_players_that_it_counts(machine: str) -> None:
    Path("config.yml").write_text(f"n_environments: 2\n{machine}\n")
    assert number("n_environments: 3") == 2
    Path("config.yml").write_text("n_environments: 2\n")
    assert number("n_environments: 3", "unity.launch=false") == 2


def test_worlds_that_divide_the_number_of_the_experiment_are_no_obstacle() -> None:
    Path("config.yml").write_text("n_environments: 2\nworlds_per_player: 2\n")
    assert number("n_environments: 8") == 8


def test_the_machine_decides_how_a_run_of_elsewhere_is_judged() -> None:
    assert number("n_environments: 8", of_run=True) == 2


@pytest.mark.parametrize(("name", "expected"), [("cartpole_ppo", 8), ("pendulum_ppo", 4), ("navigation_ppo", 2)])
def test_shipped_experiments_run_in_as_many_as_they_are_tuned_for(name: str, expected: int) -> None:
    config = load_config(name)
    assert config.simulation.n_environments == expected
    parameters = config.algorithm.parameters
    assert parameters["n_steps"] * expected >= parameters["batch_size"]
