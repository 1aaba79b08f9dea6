"""What holds for every configuration."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config, render_config
from rl_pipeline.config.keys import ALIASES, NULL_LEAVES_DEFAULT, Kind, canonical, fields, kind, sections
from rl_pipeline.errors import InputError

TEXT = st.text(max_size=12).filter(lambda text: text != "???")
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MAPPING = st.dictionaries(st.text(max_size=8), PLAIN, max_size=4)


def load_text(text: str, *overrides: str, machine: str = "") -> Config:
    with tempfile.TemporaryDirectory() as folder:
        file, machine_file = Path(folder) / "mine.yaml", Path(folder) / "config.yml"
        file.write_text(text, encoding="utf-8")
        machine_file.write_text(machine)
        return load_config(config_file=file, machine_file=machine_file, overrides=overrides)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Configurations with odd texts, nested hyperparameters and extreme numbers."""
    values: dict[str, Any] = {
        "experiment": {"name": draw(TEXT)},
        "environment": {"id": draw(TEXT), "env_config": draw(st.none() | MAPPING)},
        "algorithm": {
            "parameters": draw(MAPPING),
            "architecture": {
                "net_arch": draw(
                    st.none()
                    | st.lists(st.integers(1, 512), max_size=3)
                    | st.dictionaries(st.sampled_from(["pi", "vf", "qf"]), st.lists(st.integers(1, 9), max_size=2))
                ),
                "activation_fn": draw(st.none() | TEXT),
            },
        },
        "training": {"seed": draw(st.integers(0, 2**32 - 1)), "use_wandb": draw(st.booleans())},
        "wandb_run": {"tags": draw(st.lists(TEXT, max_size=3)), "group": draw(st.none() | TEXT)},
        "simulation": {"unity": {"time_scale": draw(st.floats(0, allow_infinity=False, allow_nan=False))}},
    }
    try:
        return Config.model_validate(values)
    except ValidationError:
        values["experiment"]["name"] = "plain"
        return Config.model_validate(values)


@given(configs())
@settings(max_examples=60)
def test_a_rendered_configuration_loads_as_an_equal_one(config: Config) -> None:
    assert load_text(render_config(config)) == config


@pytest.mark.parametrize("name", ["navigation_ppo", "navigation_sac", "base_ppo_config"])
def test_a_shipped_experiment_survives_rendering(name: str) -> None:
    config = load_config(name, machine_file=NO_MACHINE_FILE)
    assert load_text(render_config(config)) == config


@given(
    st.dictionaries(st.sampled_from(["default", "group", "file", "machine", "line"]), st.integers(1, 4096)),
    st.sampled_from(
        [
            ("n_environments", "training.n_envs", ("line", "file", "machine", "group"), 4),
            ("ros.tcp_port", "simulation.ros.tcp_port", ("line", "machine", "file", "group"), 10000),
        ]
    ),
)
@settings(max_examples=20)
def test_the_strongest_layer_that_sets_a_value_wins(
    layers: dict[str, int], key: tuple[str, str, tuple[str, ...], int]
) -> None:
    name, other_name, order, default = key
    with tempfile.TemporaryDirectory() as folder:
        group, file, machine = (Path(folder) / path for path in ("simulation/some.yaml", "mine.yaml", "config.yml"))
        group.parent.mkdir()
        group.write_text(nested(name, layers["group"]) if "group" in layers else "")
        own = nested(name, layers["file"]) if "file" in layers else ""
        file.write_text(f"{own}defaults: [simulation: some]\n")
        machine.write_text(nested(name, layers["machine"]) if "machine" in layers else "")
        overrides = [f"{other_name}={layers['line']}"] if "line" in layers else []
        config = load_config(config_file=file, machine_file=machine, overrides=overrides)
    found = config.simulation.n_environments if default == 4 else config.simulation.ros.tcp_port
    assert found == next((layers[layer] for layer in order if layer in layers), default)


def nested(dotted: str, value: Any) -> str:
    for part in reversed(dotted.split(".")):
        value = {part: value}
    return yaml.safe_dump(value)


SECTION_ALIASES = sorted(old for old in ALIASES if kind(canonical(tuple(old.split(".")))) is Kind.SECTION)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """An old key and the canonical one."""
    old = draw(st.sampled_from(sorted(set(ALIASES) - NULL_LEAVES_DEFAULT)))
    if old in SECTION_ALIASES:
        below = tuple(ALIASES[old].split("."))
        inner = [key for key in fields() if key[: len(below)] == below]
        old = ".".join([old, *draw(st.sampled_from(inner))[len(below) :]])
    return old, ".".join(canonical(tuple(old.split("."))))


@given(spellings(), st.sampled_from([None, 1, 3, "ppo", [8], {"pi": [4]}, True]), st.booleans())
@settings(max_examples=100)
def test_an_alias_and_the_canonical_key_mean_the_same(keys: tuple[str, str], value: Any, by_override: bool) -> None:
    def outcome(key: str) -> Config | str:
        try:
            if by_override:
                return load_text("", f"{key}={yaml.safe_dump(value, default_flow_style=True).splitlines()[0]}")
            return load_text(nested(key, value))
        except InputError as error:
            return str(error).rpartition(key)[2]

    old, new = keys
    assert outcome(old) == outcome(new)


KNOWN = {part for key in [*fields(), *sections()] for part in key} | {
    part for old in ALIASES for part in old.split(".")
}


@given(
    st.sampled_from([key for key in sections() if key]),
    st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(lambda name: name not in KNOWN),
)
@settings(max_examples=60)
def test_an_unknown_key_is_always_named(section: tuple[str, ...], name: str) -> None:
    dotted = ".".join([*section, name])
    with pytest.raises(InputError, match=rf"mine\.yaml: unknown key '{dotted}'"):
        load_text(nested(dotted, 1))
    with pytest.raises(InputError, match=rf"command line: unknown key '{dotted}'"):
        load_text("", f"{dotted}=1")


def test_no_alias_hides_a_canonical_key() -> None:
    assert all(canonical(key) == key for key in [*fields(), *sections()])
