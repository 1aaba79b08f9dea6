"""The wrapper of docs/add_a_wrapper.md works as it stands there, from a folder outside the checkout."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3.common.env_util import make_vec_env

from rl_pipeline.plugins import import_user_module
from rl_pipeline.registry import Registry
from rl_pipeline.wrappers import Use, wrap, wrapper_names, wrapping

PAGE = (Path(__file__).parents[2] / "docs/add_a_wrapper.md").read_text(encoding="utf-8")
FILES = re.compile(r"```\w+\n# ([\w/]+\.\w+)\n(.*?)```", re.DOTALL)
COMMANDS = re.findall(r"^\$ rl-pipeline (train .*)$", PAGE, re.MULTILINE)
SHORT = (
    "experiment.name=noisy",
    "simulation.n_environments=2",
    "training.total_timesteps=64",
    "training.eval.num_evals=0",
    "evaluation.num_episodes=1",
    "environment.video_wrapper=false",
    "environment.render_mode=null",
    "algorithm.name=ppo",
    "algorithm.parameters.n_steps=16",
    "algorithm.parameters.batch_size=16",
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with the files of the page; wrappers registered in it are forgotten with the test."""
    for name, text in FILES.findall(PAGE):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    registry: Registry[object] = Registry("wrapper")
    for name in wrapping.WRAPPERS:
        registry.register(name, wrapping.WRAPPERS.target(name))
    monkeypatch.setattr(wrapping, "WRAPPERS", registry)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    sys.modules.pop("my_wrappers", None)


def test_the_wrapper_of_the_page_adds_noise_while_an_agent_learns(place: Path) -> None:
    import_user_module("my_wrappers", "modules")
    assert wrapper_names()[-2:] == ["sensor_noise", "normalize"]
    for training in (True, False):
        plain, venv = (make_vec_env("CartPole-v1", seed=3) for _ in range(2))
        noisy = wrap(venv, {"sensor_noise": {"sigma": 0.5}}, Use(training=training))
        assert np.allclose(plain.reset(), noisy.reset()) is not training


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_of_the_page_trains_with_it(place: Path, command: str) -> None:
    arguments = [sys.executable, "-m", "rl_pipeline.cli", *shlex.split(command), *SHORT]
    result = subprocess.run(arguments, cwd=place, capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    [config] = place.glob("experiments/**/noisy/config.yaml")
    assert "sensor_noise" in config.read_text()
