"""The shipped experiment files, the documented example and the overrides that its documents use."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from rl_pipeline.algorithms.hyperparameters import hyperparameter_names
from rl_pipeline.algorithms.registration import algorithm_names, find_algorithm
from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.config.composition import read_yaml

SHIPPED = Path(__file__).parents[2] / "configs"


def load(*overrides: str, name: str | None = None, file: Path | None = None) -> Config:
    return load_config(name, config_file=file, config_dir=SHIPPED, machine_file=NO_MACHINE_FILE, overrides=overrides)


def test_the_documented_example_loads_verbatim() -> None:
    config = load(file=SHIPPED / "base_ppo_config.yaml")
    assert config.experiment.name == "BipedalWalker-Benchmark"
    assert config.environment.model_dump() == {
        "id": "BipedalWalker-v3",
        "env_config": None,
        "parameters": {},
        "render_mode": "rgb_array",
        "monitor": True,
        "horizon": None,
        "video_wrapper": True,
        "video_trigger": 5000,
        "video_length": 500,
    }
    assert config.algorithm.name == "ppo"
    assert config.algorithm.parameters["n_steps"] == 8192
    assert config.algorithm.parameters["policy"] == "MlpPolicy"
    assert config.algorithm.architecture.net_arch == {"pi": [128, 128], "vf": [128, 128]}
    assert config.algorithm.architecture.features_extractor_class == "ResnetMLP"
    assert config.algorithm.architecture.features_extractor_kwargs == {"features_dim": 128}
    assert config.algorithm.architecture.share_features_extractor is False
    assert config.training.pretrained_model is None
    assert config.training.use_wandb is True
    assert (config.training.eval.seed, config.training.eval.num_episodes, config.training.eval.num_evals) == (5, 5, 15)
    assert (config.training.total_timesteps, config.training.device, config.training.log_points) == (500000, "cuda", 10)
    assert config.evaluation.num_episodes == 1
    assert (config.play.experiment, config.play.pretrained_model) == ("experiment_date", "model")


def test_the_documented_overrides_reach_the_example() -> None:
    config = load("training.total_timesteps=2000", "training.use_wandb=false", file=SHIPPED / "base_ppo_config.yaml")
    assert (config.training.total_timesteps, config.training.use_wandb) == (2000, False)


@pytest.mark.parametrize(
    ("override", "key", "expected"),
    [
        ("training.use_wandb=false", "training.use_wandb", False),
        ("training.total_timesteps=2000", "training.total_timesteps", 2000),
        ("n_environments=1", "simulation.n_environments", 1),
        ("unity.time_scale=2", "simulation.unity.time_scale", 2.0),
        ("ros.tcp_port=0", "simulation.ros.tcp_port", 0),
        ("training.n_envs=8", "simulation.n_environments", 8),
        ("environment.horizon=1000", "environment.horizon", 1000),
        ("training.n_steps=64", "training.total_timesteps", 64),
        ("run.seed=3", "training.seed", 3),
        ("run.n_steps=64", "training.total_timesteps", 64),
        ("training.training.eval.seed=9", "training.eval.seed", 9),
        ("wandb_run.project=p", "wandb_run.project_name", "p"),
        ("wandb_run.project_name=p", "wandb_run.project_name", "p"),
        ("wandb_run.group=group_of_my_run", "wandb_run.group", "group_of_my_run"),
        ("run.type=wandb", "training.run_type", "wandb"),
        ("run.id=drive", "experiment.name", "drive"),
        ("run.load_step=5000", "training.load_step", 5000),
        ("training.algorithm=SAC", "algorithm.name", "SAC"),
        ("experiment.name=2024_01", "experiment.name", "2024_01"),
        ("experiment.name=007", "experiment.name", "007"),
        ("algorithm.parameters.learning_rate=7e-5", "algorithm.parameters.learning_rate", 7e-5),
        ("training.architecture.net_arch=[8,8]", "algorithm.architecture.net_arch", [8, 8]),
        (
            "algorithm.architecture.net_arch={pi: [4], vf: [5]}",
            "algorithm.architecture.net_arch",
            {"pi": [4], "vf": [5]},
        ),
    ],
)
def test_an_override_reaches_its_canonical_key(override: str, key: str, expected: object) -> None:
    value: Any = load(override).model_dump()
    for part in key.split("."):
        value = value[part]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_every_shipped_experiment_is_valid(name: str) -> None:
    load(name=name)


@pytest.mark.parametrize("group", sorted(f"{path.parent.name}={path.stem}" for path in SHIPPED.glob("*/*.yaml")))
def test_every_shipped_group_choice_is_valid(group: str) -> None:
    load(group)


@pytest.mark.parametrize("name", algorithm_names())
def test_an_algorithm_file_holds_every_hyperparameter_at_the_library_default(name: str) -> None:
    entry = find_algorithm(name)
    parameters = load(f"algorithm={name}").algorithm.parameters
    signature = inspect.signature(entry.load().__init__).parameters
    assert list(parameters) == hyperparameter_names(entry.load())
    for key in set(parameters) - {"policy"}:
        assert parameters[key] == signature[key].default, key


def test_every_hyperparameter_line_says_what_it_means() -> None:
    for path in (SHIPPED / "algorithm").glob("*.yaml"):
        text = path.read_text()
        if "defaults:" not in text:  # else it says what differs from one that does
            lines = text.partition("parameters:\n")[2].splitlines()
            assert all("  # " in line for line in lines), path


def test_the_training_and_wandb_groups_hold_every_key_at_its_default() -> None:
    defaults = Config()
    assert read_yaml(SHIPPED / "training/default.yaml") == defaults.training.model_dump()
    assert read_yaml(SHIPPED / "wandb_run/default.yaml") == defaults.wandb_run.model_dump()
