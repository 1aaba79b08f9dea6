"""Which files make a configuration, and which value wins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from rl_pipeline.config import NO_MACHINE_FILE, config_origin, load_config, machine_settings, outweighed

SHIPPED = Path(__file__).parents[2] / "configs"


@pytest.fixture(autouse=True)
def _empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_name_the_navigation_experiment_is_loaded() -> None:
    config = load_config()
    assert config.experiment.name == "navigation_ppo"
    assert config.environment.id == "rl_pipeline/Navigation-v0"
    assert config.algorithm.parameters["n_steps"] == 512
    assert config.algorithm.parameters["clip_range"] == 0.2


def test_the_machine_file_names_the_experiment_and_outweighs_it() -> None:
    Path("config.yml").write_text("experiment: navigation_sac\nn_environments: 2\nunity: {time_scale: 3}\n")
    config = load_config()
    assert config.experiment.name == "navigation_sac"
    assert config.simulation.n_environments == 2
    assert config.simulation.unity.time_scale == 3.0
    assert load_config("navigation_ppo").algorithm.name == "ppo"
    assert load_config(machine_file=NO_MACHINE_FILE).experiment.name == "navigation_ppo"


def test_what_the_machine_file_puts_in_place_of_the_experiments_is_told() -> None:
    Path("mine.yaml").write_text("ros: {tcp_port: 8}\nunity: {time_scale: 3}\n")
    Path("config.yml").write_text("n_environments: 2\nunity: {time_scale: 3}\nros: {tcp_port: 0}\n")
    told = ["config.yml: ros.tcp_port outweighs mine.yaml: ros.tcp_port"]
    assert outweighed(load_config(config_file=Path("mine.yaml"))) == told
    assert outweighed(load_config(config_file=Path("mine.yaml"), overrides=["ros.tcp_port=8"])) == []
    assert outweighed(load_config()) == []


def test_machine_settings_are_read_without_an_experiment() -> None:
    Path("config.yml").write_text("experiment: mine\nros: {node_name: play}\n")
    settings = machine_settings()
    assert settings.experiment == "mine"
    assert settings.simulation.ros.node_name == "play"
    assert settings.simulation.n_environments == 4


def test_the_shipped_machine_file_states_every_key_at_its_default() -> None:
    shipped = machine_settings(SHIPPED.parent / "config.yml")
    assert shipped == machine_settings(NO_MACHINE_FILE)


def test_the_shipped_machine_file_leaves_what_belongs_to_a_scene_to_the_experiment(tmp_path: Path) -> None:
    tmp_path.joinpath("config.yml").write_text((SHIPPED.parent / "config.yml").read_text())
    tmp_path.joinpath("definitions").mkdir()
    Path("mine.yaml").write_text(
        "{workspace: definitions, environment_processes: 2, unity: {arguments: [--quality, low]}}\n"
    )
    simulation = load_config(config_file=Path("mine.yaml")).simulation
    assert [path.name for path in simulation.workspace] == ["definitions"]
    assert simulation.environment_processes == 2
    assert simulation.unity.arguments == ["--quality", "low"]


def test_each_layer_outweighs_the_one_before() -> None:
    Path("mine.yaml").write_text("defaults: [training: default]\n")
    assert load_config(config_file=Path("mine.yaml")).training.log_points == 5
    Path("mine.yaml").write_text("defaults: [training: default]\ntraining: {log_points: 6}\n")
    assert load_config(config_file=Path("mine.yaml")).training.log_points == 6
    Path("config.yml").write_text("training: {log_points: 7}\n")
    assert load_config(config_file=Path("mine.yaml")).training.log_points == 7
    assert load_config(config_file=Path("mine.yaml"), overrides=["training.log_points=8"]).training.log_points == 8


def test_a_group_choice_replaces_the_whole_group() -> None:
    config = load_config("navigation_ppo", overrides=["algorithm=sac", "environment=bipedal_walker"])
    assert config.algorithm.name == "sac"
    assert "n_epochs" not in config.algorithm.parameters
    assert config.environment.id == "BipedalWalker-v3"


def test_a_group_is_added_to_a_file_without_a_defaults_list() -> None:
    Path("mine.yaml").write_text("training: {seed: 3}\n")
    config = load_config(config_file=Path("mine.yaml"), overrides=["+algorithm=dqn"])
    assert (config.algorithm.name, config.training.seed) == ("dqn", 3)


def test_own_groups_and_experiment_files_stand_beside_the_shipped_ones() -> None:
    Path("configs/algorithm").mkdir(parents=True)
    Path("configs/algorithm/quick.yaml").write_text("defaults: [ppo]\nparameters: {n_steps: 32}\n")
    Path("configs/mine.yaml").write_text("defaults: [algorithm: quick, environment: cartpole]\n")
    config = load_config("mine")
    assert config.algorithm.parameters["n_steps"] == 32
    assert config.environment.id == "CartPole-v1"
    assert load_config("navigation_ppo").experiment.name == "navigation_ppo"


def test_a_config_folder_elsewhere_is_used_when_given(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "tiny.yaml").write_text("experiment: {name: tiny}\n")
    assert load_config("tiny", config_dir=folder).experiment.name == "tiny"
    assert load_config("tiny.yaml", config_dir=folder).experiment.name == "tiny"


@pytest.mark.parametrize("name", ["mine.yml", "my file.yaml", "no_suffix", "it's.yaml"])
def test_a_file_of_any_name_may_have_a_defaults_list(name: str) -> None:
    Path(name).write_text("defaults: [algorithm: td3]\n")
    assert load_config(config_file=Path(name)).algorithm.name == "td3"


def test_groups_beside_the_file_are_found() -> None:
    Path("there/training").mkdir(parents=True)
    Path("there/training/short.yaml").write_text("total_timesteps: 7\n")
    Path("there/mine.yaml").write_text("defaults: [training: short]\n")
    assert load_config(config_file=Path("there/mine.yaml")).training.total_timesteps == 7


def test_a_deletion_leaves_the_default() -> None:
    config = load_config(overrides=["~algorithm.parameters.n_steps", "~training.total_timesteps", "~wandb_run"])
    assert "n_steps" not in config.algorithm.parameters
    assert config.training.total_timesteps == 100_000


def test_plus_adds_a_hyperparameter_and_so_does_a_plain_override() -> None:
    Path("mine.yaml").write_text("algorithm: {parameters: {gamma: 0.9}}\n")
    overrides = ["+algorithm.parameters.n_steps=8", "algorithm.parameters.batch_size=4"]
    config = load_config(config_file=Path("mine.yaml"), overrides=overrides)
    assert config.algorithm.parameters == {"gamma": 0.9, "n_steps": 8, "batch_size": 4}


def test_interpolations_refer_to_the_merged_values_in_any_spelling() -> None:
    Path("mine.yaml").write_text(
        "experiment: {name: '${training.algorithm}_${n_environments}'}\n"
        "evaluation: {seed: '${training.seed}'}\n"
        "environment: {env_config: {sizes: ['${training.n_envs}', 1]}}\n"
    )
    config = load_config(config_file=Path("mine.yaml"), overrides=["n_environments=3", "training.seed=12"])
    assert config.experiment.name == "ppo_3"
    assert config.evaluation.seed == 12
    assert config.environment.env_config == {"sizes": [3, 1]}


def test_the_origin_of_a_value_is_the_file_and_the_key_as_spelled() -> None:
    Path("mine.yaml").write_text("defaults: [algorithm: ppo]\ntraining: {algorithm_parameters: {n_steps: 32}}\n")
    Path("config.yml").write_text("unity: {pause: false, time_scale: 1.0}\n")
    config = load_config(config_file=Path("mine.yaml"), overrides=["run.seed=3"])
    assert (
        str(config_origin(config, "algorithm.parameters.n_steps")) == "mine.yaml: training.algorithm_parameters.n_steps"
    )
    assert config_origin(config, "algorithm.parameters.gamma").source.endswith("configs/algorithm/ppo.yaml")
    assert str(config_origin(config, "simulation.unity.pause")) == "config.yml: unity.pause"
    assert str(config_origin(config, "training.seed")) == "command line: run.seed"
    assert config_origin(config, "training.device").source == "default"


def test_composing_leaves_no_hydra_state_and_no_files_behind() -> None:
    before = os.listdir()
    load_config(overrides=["algorithm=sac"])
    assert not GlobalHydra.instance().is_initialized()
    assert os.listdir() == before


def test_the_hydra_of_a_surrounding_application_stays(tmp_path: Path) -> None:
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        surrounding = GlobalHydra.instance().hydra
        load_config()
        assert GlobalHydra.instance().hydra is surrounding


def test_hydra_is_imported_only_to_compose() -> None:
    code = "import sys, rl_pipeline.config; sys.exit('hydra' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_checkout_and_a_wheel_find_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a wheel, configs/ lies inside the package."""
    package = tmp_path / "site/rl_pipeline/config"
    shutil.copytree(SHIPPED, package / "configs")
    expected = load_config()
    monkeypatch.setattr("rl_pipeline.config.loading.__file__", str(package / "loader.py"))
    assert load_config() == expected
    assert config_origin(load_config(), "training.seed").source.startswith("site/rl_pipeline/config/configs")
