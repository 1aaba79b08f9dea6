"""Numbers of YAML files are decimal as written, and stay as written for keys that take a text."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.config.composition import read_yaml
from rl_pipeline.errors import InputError
from rl_pipeline.simulation.standalone.machine_file import read_machine_file


def read(folder: Path, text: str, *overrides: str) -> Config:
    file = folder / "mine.yaml"
    file.write_text(text)
    return load_config(config_file=file, machine_file=NO_MACHINE_FILE, overrides=overrides)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("010", 10), ("-007", -7), ("1_000", 1000), ("0x10", "0x10"), ("0o17", "0o17"), ("0b11", "0b11"),
        ("1:30", "1:30"), ("1:30.5", "1:30.5"), ("2024-01-02", "2024-01-02"), ("7e-5", 7e-5), ("-.5", -0.5),
        ("1.", 1.0), ("1_0.2_5", 10.25), (".inf", math.inf), ("-.inf", -math.inf), ("08", 8), ("1e5", 1e5),
        ("'010'", "010"), ("._", "._"), (".", "."), ("+", "+"),
    ],
)  # fmt: skip
def test_a_scalar_is_the_decimal_number_it_spells_or_a_text(tmp_path: Path, text: str, expected: object) -> None:
    (tmp_path / "mine.yaml").write_text(f"key: {text}\n010: [{text}]\n")
    tree = read_yaml(tmp_path / "mine.yaml")
    assert tree["key"] == expected
    assert type(tree["key"]) is type(expected)
    assert list(tree) == ["key", 10]


@pytest.mark.parametrize("by_override", [True, False])
@pytest.mark.parametrize(("text", "expected"), [("010", 10), ("0x10", None), ("1:30", None), ("0b11", None)])
def test_a_seed_is_decimal_or_refused(tmp_path: Path, text: str, expected: int | None, by_override: bool) -> None:
    file, overrides = ("{}", [f"training.seed={text}"]) if by_override else (f"training: {{seed: {text}}}", [])
    if expected is not None:
        assert read(tmp_path, file, *overrides).training.seed == expected
        return
    with pytest.raises(InputError, match=rf"training\.seed: expected a whole number .* found '{text}'"):
        read(tmp_path, file, *overrides)


def test_a_number_keeps_its_text_where_a_text_is_expected(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "experiment: {name: 2024_01}\nwandb_run: {tags: [007, 1e3], group: 1.10}\nros: {token: 0123456789}\n"
        "training: {load_step: 5_000}\nenvironment: {env_config: {size: 010, name: '010'}}\n"
        "algorithm: {parameters: {n_steps: 1_024}}\n",
    )
    assert config.experiment.name == "2024_01"
    assert config.wandb_run.tags == ["007", "1e3"]
    assert config.wandb_run.group == "1.10"
    token = config.simulation.ros.token
    assert token is not None
    assert token.get_secret_value() == "0123456789"
    assert config.training.load_step == "5_000"
    assert config.environment.env_config == {"size": 10, "name": "010"}
    assert config.algorithm.parameters["n_steps"] == 1024


def test_the_launcher_of_players_reads_the_same_numbers(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("n_environments: 010\nros: {tcp_port: 010000, token: 0123456789}\nunity: {time_scale: 1e1}\n")
    found = read_machine_file(file, ["worlds_per_player=02"])
    values: list[Any] = [found.n_environments, found.players, found.ros.tcp_port, found.ros.token]
    assert values == [10, 5, 10000, "0123456789"]
    assert found.unity.time_scale == 10.0
    with pytest.raises(InputError, match="n_environments: expected a whole number, found '0x10'"):
        read_machine_file(file, ["n_environments=0x10"])
