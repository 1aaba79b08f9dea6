"""Backends by name: the one of docs/add_a_backend.md trains, and wrong names are one clear error."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from rl_pipeline.backends.backend import BackendContext
from rl_pipeline.backends.registration import BACKENDS, check_backend, open_backend, register_backend
from rl_pipeline.config import load_config
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.errors import InputError
from rl_pipeline.run.rl_trainer import RLTrainer

PAGE = Path(__file__).parents[2] / "docs" / "add_a_backend.md"
SHORT = [
    "n_environments=2",
    "training.total_timesteps=64",
    "training.log_points=1",
    "training.eval.num_evals=0",
    "training.device=cpu",
    "training.use_wandb=false",
    "algorithm.parameters={n_steps: 16, batch_size: 16, n_epochs: 1}",
    "evaluation.num_episodes=1",
    "environment.horizon=8",
    "environment.render_mode=null",
    "environment.video_wrapper=false",
]


@pytest.fixture
def registry(monkeypatch):
    """The registry, restored after the test."""
    monkeypatch.setattr(BACKENDS, "_entries", dict(BACKENDS._entries))
    monkeypatch.setattr(BACKENDS, "_names", dict(BACKENDS._names))
    monkeypatch.setattr("rl_pipeline.backends.registration._CHECKS", {})


@pytest.fixture
def documented(tmp_path, monkeypatch):
    """The files of docs/add_a_backend.md, in the working directory."""
    for language in ("python", "yaml"):
        code = re.search(rf"```{language}\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
        (tmp_path / code[1]).write_text(code[2])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    sys.modules.pop("my_backends", None)


def context(folder, name):
    config = SimulationConfig.model_validate({"backend": name, "ros": {"tcp_port": 0}})
    return BackendContext(config, folder, launch_endpoint=pytest.fail)


def test_the_documented_backend_trains_and_records_its_calls(documented, registry):
    config = load_config(config_file=documented / "my_experiment.yaml", overrides=SHORT)
    folder = RLTrainer(config).train().folder.path
    rows = [row for path in folder.rglob("calls.csv") for row in csv.reader(path.open())]
    kinds = Counter(kind for kind, *_ in rows)
    assert kinds["interfaces_pkg/NavigationStep"] >= 32
    assert kinds["interfaces_pkg/NavigationReset"] >= 1
    assert {players for _, players, *_ in rows} <= {"2", "4"}, "two of the training, two of the evaluation"
    assert all(float(seconds) > 0 and late == "0" for *_, seconds, late in rows)


def test_a_function_opens_a_backend_from_its_context(tmp_path, registry):
    opened = []
    register_backend("mine", lambda context: opened.append(context) or context)
    given = context(tmp_path, "mine")
    assert open_backend(given) is given
    assert opened == [given]


def test_the_check_of_a_backend_runs_without_opening_it(tmp_path, registry):
    def check(config):
        raise InputError("simulation.backend: no licence")

    register_backend("licensed", pytest.fail, check=check)
    with pytest.raises(InputError, match="no licence"):
        check_backend(context(tmp_path, "licensed").config)


def test_a_name_cannot_be_taken_twice(registry):
    with pytest.raises(InputError, match="backend 'direct' is registered already"):
        register_backend("direct", "my_backends:open")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dirct", "simulation.backend: unknown backend 'dirct'; did you mean 'direct'?"),
        ("grpc", "simulation.backend: unknown backend 'grpc'; valid: direct, ros2"),
        ("mlagents", "simulation.backend: 'mlagents' does not exist yet; expected 'direct' or 'ros2'"),
    ],
)
def test_an_unknown_name_is_one_error_with_the_key_and_the_valid_names(tmp_path, name, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_backend(context(tmp_path, name).config)


def test_a_module_that_is_missing_is_an_error_before_anything_is_opened(tmp_path, registry):
    register_backend("elsewhere", "no_such_module:Backend")
    with pytest.raises(InputError, match="backend 'elsewhere': cannot import no_such_module:Backend"):
        check_backend(context(tmp_path, "elsewhere").config)
