"""The groups `wrappers`, `robot` and `expert`, and the add-ons at the end of a defaults list."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from gymnasium import spaces

from rl_pipeline.config import Config, load_config
from rl_pipeline.config.composition import read_yaml
from rl_pipeline.envs.factory import resolve_spaces
from rl_pipeline.errors import InputError
from rl_pipeline.wrappers import wrapper_names

SHIPPED = Path(__file__).parents[2] / "configs"


@pytest.fixture(autouse=True)
def _empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Arm(gymnasium.Env[Any, Any]):
    """An environment with as many joints as its robot has; `expert` is taken too."""

    def __init__(self, robot: dict[str, Any], expert: dict[str, Any] | None = None) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (robot["joints"],))
        self.action_space = spaces.Box(-1.0, 1.0, (1 if expert is None else 2,))


gymnasium.register("test/Arm-v0", Arm)


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def test_every_wrapper_has_a_file_with_all_its_settings_at_their_defaults() -> None:
    shipped: dict[str, Any] = {}
    for path in (SHIPPED / "wrappers").glob("*.yaml"):
        shipped |= read_yaml(path)
    for name in wrapper_names():
        settings = importlib.import_module(f"rl_pipeline.wrappers.{name}").Settings
        assert shipped.pop(name) == settings().model_dump(), name
    assert not shipped


def test_wrappers_are_chosen_as_a_group_also_several_at_once() -> None:
    assert load_config("navigation_ppo").wrappers == {}
    config = load_config("navigation_ppo", overrides=["wrappers=normalize", "wrappers.normalize.gamma=0.9"])
    assert list(config.wrappers) == ["normalize"]
    assert config.wrappers["normalize"]["gamma"] == 0.9
    write("configs/mine.yaml", "defaults: [navigation_ppo, {override wrappers: [frame_stack, clip]}]\n")
    assert set(load_config("mine").wrappers) == {"frame_stack", "clip_observations", "clip_rewards"}


def test_a_robot_and_an_expert_of_ones_own_reach_the_environment() -> None:
    write("elsewhere/robot/schunk.yaml", "name: schunk\njoints: 6\n")
    write("elsewhere/expert/reach.yaml", "seed: ${training.seed}\n")
    write("elsewhere/reach.yaml", "defaults: [robot: schunk, _self_]\nenvironment: {id: test/Arm-v0}\n")
    config = load_config("reach", config_dir=Path("elsewhere"))
    assert config.robot == {"name": "schunk", "joints": 6}
    observation_space, action_space = resolve_spaces(config)
    assert (observation_space.shape, action_space.shape) == ((6,), (1,))
    config = load_config(
        "reach", config_dir=Path("elsewhere"), overrides=["+expert=reach", "robot.joints=7", "training.seed=3"]
    )
    assert config.expert == {"seed": 3}
    observation_space, action_space = resolve_spaces(config)
    assert (observation_space.shape, action_space.shape) == ((7,), (2,))


@pytest.mark.parametrize("environment", ["rl_pipeline/Navigation-v0", "CartPole-v1"])
def test_a_robot_is_refused_by_an_environment_that_has_none_to_choose(environment: str) -> None:
    config = Config.model_validate({"environment": {"id": environment}, "robot": {"name": "schunk"}})
    with pytest.raises(InputError, match=f"robot: {environment} has none to choose"):
        resolve_spaces(config)


def test_consistent_seeding_makes_one_seed_of_three() -> None:
    write("configs/mine.yaml", "defaults: [navigation_ppo, _self_, consistent_seeding]\ntraining: {seed: 4}\n")
    for overrides, seed in (([], 4), (["training.seed=9"], 9)):
        config = load_config("mine", overrides=overrides)
        assert (config.training.seed, config.training.eval.seed, config.evaluation.seed) == (seed, seed, seed)


def test_eval_has_the_last_model_watched() -> None:
    write("configs/mine.yaml", "defaults: [navigation_ppo, _self_, eval]\nevaluation: {num_episodes: 100}\n")
    config = load_config("mine", overrides=["training.id=smoke"])
    assert config.training.test_only
    assert (config.training.load_step, config.experiment.name) == ("final", "smoke")
    assert config.evaluation.num_episodes == 20
