"""Values of the command line that Hydra's grammar has no place for: paths, other alphabets, lists of groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_pipeline.config import NO_MACHINE_FILE, Config, load_config
from rl_pipeline.config.overrides import quoted
from rl_pipeline.errors import InputError


def load(*overrides: str, name: str = "base_sac_config") -> Config:
    return load_config(name, machine_file=NO_MACHINE_FILE, overrides=overrides)


@pytest.mark.parametrize(
    "text", ["Prüf stand", "Prüf", "don't", "run (2)", "a#b", "x=y", "a;b & <c>", "日本", "a, ü", "f(", "1:30", "007"]
)
def test_a_name_is_taken_as_it_is_written(text: str) -> None:
    assert load(f"experiment.name={text}").experiment.name == text
    assert load(f"+environment.env_config.label={text}x").environment.env_config == {"label": f"{text}x"}


def test_lists_may_hold_such_texts() -> None:
    assert load("wandb_run.tags=[Prüf, ~/x]").wandb_run.tags == ["Prüf", "~/x"]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("algorithm=sác", "unknown algorithm 'sác'; did you mean 'sac'"),
        ("training.seed=fünf", "command line: training.seed: expected a whole number from"),
        ("experiment.näme=x", "unknown key 'experiment.näme'; did you mean 'experiment.name'?"),
        ("trainig.seed=fünf", "command line: unknown key 'trainig'"),
        ("experiment.name=\"Prüf", "a text with such characters is quoted: 'key=\"text\"'"),
        ("experiment.name=a,b", "a text with such characters is quoted: 'key=\"text\"'"),
        ("algorithm.architecture.net_arch=[64,", "cannot read"),
        ("wrappers=[normalize,frame_stak]", "unknown wrappers 'frame_stak'; did you mean 'frame_stack'"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(override: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        load(override)
    assert expected in str(caught.value)


@pytest.mark.parametrize("text", ["it's", "a,b", "5", "~/ü", "C:\\", "\\'", "$", "[1]", "a=b", "'", ""])
def test_a_quoted_text_is_read_as_itself(text: str) -> None:
    assert load(f"environment.env_config.label={quoted(text)}").environment.env_config == {"label": text}


@pytest.mark.parametrize("override", ["wrappers=[normalize,frame_stack]", "wrappers=['normalize', 'frame_stack']"])
def test_several_wrappers_are_chosen_at_once(override: str) -> None:
    config = load(override)
    assert list(config.wrappers) == ["normalize", "frame_stack"]
    assert config.wrappers["frame_stack"] == {"n_stack": 4}


def test_several_wrappers_are_added_to_a_file_without_them(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("environment: {id: CartPole-v1}\n")
    config = load_config(
        config_file=tmp_path / "mine.yaml", machine_file=NO_MACHINE_FILE, overrides=["+wrappers=[normalize,clip]"]
    )
    assert list(config.wrappers) == ["normalize", "clip_observations", "clip_rewards"]
