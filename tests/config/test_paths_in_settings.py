"""Paths of files and of the command line: `~`, environment variables, and those of another system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config, render_config
from rl_pipeline.errors import InputError
from rl_pipeline.simulation.player_arguments import player_program

PATHS = [
    "experiment.directory",
    "training.pretrained_model",
    "evaluation.opponent",
    "play.experiment",
    "play.pretrained_model",
    "simulation.unity.build_path",
]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RUNS", "/data/ü")
    monkeypatch.chdir(tmp_path)


def load(key: str, text: str, *, by_override: bool) -> Any:
    nested = f"{{{key.replace('.', ': {')}: {text!r}{'}' * key.count('.')}}}"
    Path("mine.yaml").write_text("{}" if by_override else nested, encoding="utf-8")
    overrides = [f"{key}={text}"] if by_override else []
    config = load_config(config_file=Path("mine.yaml"), machine_file=NO_MACHINE_FILE, overrides=overrides)
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("by_override", [True, False])
@pytest.mark.parametrize("key", PATHS)
def test_home_and_variables_are_expanded_in_every_path(tmp_path: Path, key: str, by_override: bool) -> None:
    assert str(load(key, "~/runs", by_override=by_override)) == f"{tmp_path}/runs"
    assert str(load(key, "$RUNS/a b", by_override=by_override)) == "/data/ü/a b"


def test_lists_of_folders_are_expanded(tmp_path: Path) -> None:
    assert Config.model_validate({"simulation": {"workspace": "~/ws"}}).simulation.workspace == [tmp_path / "ws"]
    config = Config.model_validate({"simulation": {"workspace": ["~/ws", "$RUNS"]}})
    assert config.simulation.workspace == [tmp_path / "ws", Path("/data/ü")]


def test_a_model_of_an_experiment_and_modules_are_paths_too(tmp_path: Path) -> None:
    reference = {"use_pretrained_model": True, "experiment_name": "~/exp", "checkpoint": 5}
    config = Config.model_validate({"training": {"pretrained_model": reference}, "modules": ["~/parts.py", "plain"]})
    assert config.training.pretrained_model == f"{tmp_path}/exp/5"
    assert config.modules == [f"{tmp_path}/parts.py", "plain"]


def test_names_that_are_no_paths_stay() -> None:
    config = Config.model_validate({"training": {"pretrained_model": "wandb:a/b/c"}, "play": {"experiment": "a$b"}})
    assert (config.training.pretrained_model, config.play.experiment) == ("wandb:a/b/c", "a$b")


def test_a_rendered_configuration_keeps_the_expanded_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config.model_validate({"experiment": {"directory": "~/runs"}})
    Path("kept.yaml").write_text(render_config(config))
    monkeypatch.setenv("HOME", "/elsewhere")
    kept = load_config(config_file=Path("kept.yaml"), machine_file=NO_MACHINE_FILE)
    assert kept.experiment.directory == tmp_path / "runs"


@pytest.mark.skipif(os.name == "nt", reason="paths of Windows are paths there")
@pytest.mark.parametrize("by_override", [True, False])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"C:\Users\me\exp", "expected a path of this system, such as /home/me/runs, found"),
        ("D:/exp", "expected a path of this system"),
        (r"\\server\exp", "expected a path of this system"),
        (r"runs\exp", "expected a path of this system"),
        ("$NOT_SET_AT_ALL/exp", "there is no environment variable NOT_SET_AT_ALL"),
        ("~nobody_of_this_name/exp", "there is no user 'nobody_of_this_name'; ./~nobody_of_this_name/exp is a folder"),
    ],
)
def test_a_folder_that_cannot_be_meant_is_one_error(text: str, expected: str, by_override: bool) -> None:
    with pytest.raises(InputError) as caught:
        load("experiment.directory", text, by_override=by_override)
    assert expected in str(caught.value)
    assert "experiment.directory: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_variable_in_braces_is_told_how_to_be_written() -> None:
    Path("mine.yaml").write_text("experiment: {directory: '${RUNS}/a'}\n")
    with pytest.raises(InputError, match=r"the environment variable is written \$RUNS or \${oc.env:RUNS}"):
        load_config(config_file=Path("mine.yaml"), machine_file=NO_MACHINE_FILE)
    Path("mine.yaml").write_text("experiment: {directory: '${oc.env:RUNS}/a'}\n")
    config = load_config(config_file=Path("mine.yaml"), machine_file=NO_MACHINE_FILE)
    assert config.experiment.directory == Path("/data/ü/a")


def test_a_build_is_found_below_home(tmp_path: Path) -> None:
    (tmp_path / "build").touch(mode=0o755)
    assert player_program("$HOME/build", "navigation") == player_program("~/build", "navigation")


def test_the_experiment_file_of_the_machine_is_found_below_home(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("training: {seed: 7}\n")
    Path("config.yml").write_text("experiment: ~/own.yaml\n")
    assert load_config().training.seed == 7
