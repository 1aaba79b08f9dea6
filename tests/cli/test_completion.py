"""Offers of the TAB key, asked of the command as Bash asks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rl_pipeline import cli

Offers = Callable[[str], list[str]]


@pytest.fixture
def offers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], calls_command: None
) -> Offers:
    """Complete the last word of a command line, in a folder with an experiment and an experiment file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "mine.yaml").touch()
    for environment in ("CartPole-v1", "Pendulum-v1"):
        folder = tmp_path / "experiments" / environment / "ppo" / "drive"
        folder.mkdir(parents=True)
        (folder / "config.yaml").touch()
        (folder / "best_model.zip").touch()

    def complete(line: str) -> list[str]:
        line = line.replace("=", " = ").removesuffix(" " if line.endswith("=") else "")  # as Bash splits words
        monkeypatch.setenv("_RL_PIPELINE_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        with pytest.raises(SystemExit):
            cli.run([])
        return capsys.readouterr().out.split()

    return complete


def test_verbs_and_options_are_completed(offers: Offers) -> None:
    assert offers("rl-pipeline tr") == ["train"]
    assert offers("rl-pipeline train --config-n") == ["--config-name"]


def test_config_names_are_those_of_the_folders_that_train_looks_in(offers: Offers, tmp_path: Path) -> None:
    assert offers("rl-pipeline train --config-name mi") == ["mine"]
    assert "navigation_ppo" in offers("rl-pipeline train --config-name navigation")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mint.yaml").touch()
    assert offers("rl-pipeline train --config-dir elsewhere --config-name mi") == ["mint"]
    assert offers("rl-pipeline train --config-dir nowhere --config-name mi") == []


@pytest.mark.parametrize(
    "words", ["play --experiment", "evaluate --experiment", "resume", "plot", "runs list", "runs remove"]
)
def test_experiments_are_completed_by_name(offers: Offers, words: str) -> None:
    assert offers(f"rl-pipeline {words} dr") == ["drive"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("train algorithm=sac", ["sac", "sac_her", "sac_navigation", "sac_pendulum"]),
        ("train +algorithm=tr", ["trpo"]),
        ("train environment=", ["bipedal_walker", "cartpole", "duel", "navigation", "pendulum"]),
        ("train training.seed=1 environment.id=CartPole", ["CartPole-v0", "CartPole-v1"]),
        ("train environment.id=rl_pipeline/N", ["rl_pipeline/Navigation-v0"]),
        ("train training.algorithm=tq", ["tqc"]),
        ("train run.use_wandb=", ["true", "false"]),
        ("train environment.render_mode=", ["rgb_array", "human", "null"]),
        ("train ros.backend=d", ["direct"]),
        ("train backend=r", ["ros2"]),
        ("train training.pretrained_model=dr", ["drive"]),
        ("resume drive environment.monitor=f", ["false"]),
        ("train unknown.key=", []),
        ("train training.seed=", []),
        ("train algorithm=sac ", []),
        ("check Pendulum", ["Pendulum-v1"]),
        ("evaluate --model best", ["best_model"]),
        ("play --agent z", ["zero"]),
    ],
)
def test_values_are_completed(offers: Offers, line: str, expected: list[str]) -> None:
    assert offers(f"rl-pipeline {line}") == expected


def test_shells_that_keep_an_override_together_get_it_whole(
    offers: Offers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_RL_PIPELINE_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "rl-pipeline train algorithm=trp")
    with pytest.raises(SystemExit):
        cli.run([])
    assert '"algorithm=trpo"' in capsys.readouterr().out


def test_the_script_for_a_shell_is_printed(capfd: pytest.CaptureFixture[str], calls_command: None) -> None:
    with pytest.raises(SystemExit):
        cli.run(["--show-completion", "bash"])
    assert "complete -o default -F _rl_pipeline_completion rl-pipeline" in capfd.readouterr().out
