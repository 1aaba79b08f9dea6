"""The experiment file that config.yml names: by name or by path, and only read by those who need it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.cli.nodes import launch_node as node
from rl_pipeline.config import load_config, machine_settings
from rl_pipeline.errors import InputError


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with experiment files in several places."""
    monkeypatch.chdir(tmp_path)
    for name in ("configs/uc1.yaml", "uc2.yaml", "studies/uc3.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"defaults: [algorithm: ppo]\nexperiment: {{name: {Path(name).stem}}}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ("uc1", "uc1"),
        ("uc1.yaml", "uc1"),
        ("uc1.yml", "uc1"),
        ("configs/uc1.yaml", "uc1"),
        ("uc2", "uc2"),
        ("uc2.yaml", "uc2"),
        ("./uc2.yaml", "uc2"),
        ("studies/uc3.yml", "uc3"),
        ("studies/uc3", "uc3"),
        ("$PLACE/studies/uc3.yml", "uc3"),
    ],
)
def test_it_is_named_with_or_without_suffix_or_by_its_path(
    place: Path, monkeypatch: pytest.MonkeyPatch, named: str, name: str
) -> None:
    monkeypatch.setenv("PLACE", str(place))
    Path("config.yml").write_text(f"experiment: {named}")
    assert load_config().experiment.name == name


def test_a_path_is_relative_to_the_machine_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("studies/config.yml").write_text("experiment: uc3.yml")
    assert load_config(machine_file=Path("studies/config.yml")).experiment.name == "uc3"


def test_groups_beside_it_can_be_named(place: Path) -> None:
    Path("studies/wrappers").mkdir()
    Path("studies/wrappers/mine.yaml").write_text("clip_rewards: {}\n")
    Path("studies/uc3.yml").write_text("defaults: [wrappers: mine]")
    Path("config.yml").write_text("experiment: studies/uc3.yml")
    assert load_config().wrappers == {"clip_rewards": {}}


def test_one_that_is_not_there_is_named_with_what_is(place: Path) -> None:
    Path("config.yml").write_text("experiment: uc.yaml")
    with pytest.raises(InputError, match=r"config.yml: experiment: unknown experiment file 'uc'; did you mean 'uc1'"):
        load_config()


@pytest.mark.parametrize("content", [None, "trainig: {}", "a: [", "modules: [mising]"])
def test_who_does_not_need_it_goes_on_without_it(
    place: Path, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    Path("config.yml").write_text("experiment: gone.yaml\nn_environments: 2\nros: {node_name: evaluate}\n")
    if content is not None:
        Path("gone.yaml").write_text(content)
    with pytest.raises(InputError):
        load_config()
    with caplog.at_level(logging.WARNING):
        assert load_config(needs_experiment=False).simulation.n_environments == 2
    assert "going on without the experiment file" in caplog.text
    assert "gone" in caplog.text
    with pytest.raises(InputError, match=r"command line: unknown key 'trainig'"):
        load_config(overrides=["trainig=1"], needs_experiment=False)
    caplog.clear()
    assert machine_settings(overrides=["ros.tcp_port=0"]).simulation.ros.tcp_port == 0
    assert node.read_ros_config([]).node_name == "evaluate"
    assert not caplog.text


def test_a_baseline_without_an_experiment_needs_it(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("config.yml").write_text("experiment: gone")
    assert cli.run(["evaluate", "--agent", "random", "--episodes", "1"]) == 2
    assert "config.yml: experiment: unknown experiment file 'gone'" in capfd.readouterr().err


def test_a_trained_agent_does_not(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("config.yml").write_text("experiment: gone")
    assert cli.run(["evaluate", "--experiment", "nothing_of_the_kind"]) == 2
    assert "error: no experiment 'nothing_of_the_kind'" in capfd.readouterr().err
