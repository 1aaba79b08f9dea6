"""Tasks, algorithms, wrappers and networks of one's own, from files in the folder that the command is called in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rl_pipeline.config import load_config
from rl_pipeline.errors import InputError
from rl_pipeline.plugins import import_user_module

PARTS = """
import gymnasium
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.torch_layers import FlattenExtractor
from stable_baselines3.common.vec_env import VecEnvWrapper

from my_reward import pays  # beside this file
from rl_pipeline import wrappers
from rl_pipeline.algorithms import register_algorithm
from rl_pipeline.config.schema import Section
from rl_pipeline.models.feature_extractors import register_feature_extractor


class Walk(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-5, 5, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return np.full(1, self.at, np.float32), {}

    def step(self, action):
        self.at += 2 * int(action) - 1
        return np.full(1, self.at, np.float32), pays(self.at), abs(self.at) >= 5, False, {}


class Settings(Section):
    factor: float = 1.0


class Scaled(VecEnvWrapper):
    factor = 1.0

    def reset(self):
        return self.venv.reset() * self.factor

    def step_wait(self):
        observations, rewards, dones, infos = self.venv.step_wait()
        return observations * self.factor, rewards, dones, infos


def wrap(venv, settings, use):
    scaled = Scaled(venv)
    scaled.factor = settings.factor
    return scaled


class MyPPO(PPO):
    pass


class MyExtractor(FlattenExtractor):
    pass


gymnasium.register("Walk-v0", Walk, max_episode_steps=20)
register_algorithm("my_ppo", f"{__name__}:MyPPO")
wrappers.register_wrapper("scaled", __name__)
register_feature_extractor("MyExtractor", MyExtractor)
"""

EXPERIMENT = """
modules: [my_parts]
experiment: {name: mine}
environment: {id: Walk-v0}
algorithm:
  name: my_ppo
  parameters: {n_steps: 32, batch_size: 32, n_epochs: 1}
  architecture: {features_extractor_class: MyExtractor}
wrappers: {scaled: {factor: 0.2}}
training: {total_timesteps: 128, log_points: 2, save_freq: 64, eval: {num_evals: 1, num_episodes: 2}}
evaluation: {num_episodes: 2}
simulation: {n_environments: 2}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with parts of one's own."""
    (tmp_path / "my_parts.py").write_text(PARTS)
    (tmp_path / "my_reward.py").write_text("def pays(at):\n    return float(at == 5)\n")
    (tmp_path / "mine.yaml").write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def imported() -> Iterator[Callable[[str], object]]:
    """Import modules, and forget them afterwards."""
    modules, path = set(sys.modules), list(sys.path)
    yield lambda name: import_user_module(name, "modules")
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def call(place: Path, *arguments: str, told: str = "") -> str:
    """Call the command as it is installed, which has no working directory on Python's path."""
    command = [Path(sys.executable).with_name("rl-pipeline"), *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    assert told in done.stderr
    return done.stdout


@pytest.mark.slow
def test_what_a_module_registers_is_trained_evaluated_and_resumed(place: Path) -> None:
    call(place, "train", "--config", "mine.yaml", told="no videos: the environment draws no frames")
    run = place / "experiments/Walk-v0/my_ppo/mine"
    assert "modules: [my_parts]\n" in (run / "config.yaml").read_text()
    assert "Walk-v0" in call(place, "evaluate", "--experiment", "mine", "--episodes", "2")
    assert "192" in call(place, "resume", "mine", "training.total_timesteps=192")
    assert "Walk-v0" in call(place, "evaluate", "--model", str(run / "model.zip"), "--episodes", "2")
    alone = (run / "model.zip").rename(place / "alone.zip")
    assert "Walk-v0" in call(place, "evaluate", "--model", str(alone), "--episodes", "2", "modules=[my_parts]")


def test_a_module_is_found_in_the_working_directory_or_by_its_path(
    place: Path, imported: Callable[[str], object]
) -> None:
    (place / "one.py").write_text("")
    (place / "code").mkdir()
    (place / "code" / "helper.py").write_text("VALUE = 1")
    (place / "code" / "other.py").write_text("from helper import VALUE")
    assert imported("one") is imported("one") is imported("one.py")
    assert imported("code/other.py") is imported(str(place / "code/other.py"))


def test_no_file_of_the_user_is_taken_for_a_library(place: Path, imported: Callable[[str], object]) -> None:
    (place / "colorsys.py").write_text("raise AssertionError")
    (place / "one.py").write_text("import colorsys")
    imported("one")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mising", None, r"cannot import mising \(No module named 'mising', neither installed nor in /"),
        ("broken", "import nothing_of_the_kind", r"cannot import broken \(No module named 'nothing_of_the_kind'\)"),
        ("wrong", "x = = 1", r"cannot import wrong \(SyntaxError: invalid syntax \(wrong.py, line 1\)\)"),
        ("fails.py", "1 / 0", r"cannot import fails.py \(ZeroDivisionError: division by zero \(fails.py, line 1"),
        ("none.py", None, r"cannot import none.py \(no such file\)"),
        ("json.py", "", r"cannot import json.py \(another module is named json; rename the file\)"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_file_that_wants_it(
    place: Path, imported: Callable[[str], object], name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (place / name).with_suffix(".py").write_text(content)
    (place / "mine.yaml").write_text(f"modules: [{name}]")
    with pytest.raises(InputError, match=f"mine.yaml: modules: {message}"):
        load_config(config_file=Path("mine.yaml"))
    assert Path(name).stem not in sys.modules or name == "json.py"
