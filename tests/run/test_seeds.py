"""`rl-pipeline train --seeds`: one experiment with several seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rl_pipeline import cli
from rl_pipeline.errors import InputError
from rl_pipeline.experiment.statistics import student_interval
from rl_pipeline.run.seeds import parse_seeds


@pytest.mark.parametrize(
    ("text", "seeds"), [("0..4", [0, 1, 2, 3, 4]), ("7", [7]), ("0,3,7", [0, 3, 7]), ("5, 0..2", [5, 0, 1, 2])]
)
def test_seeds_are_ranges_and_lists(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected seeds such as 0..4 or 0,3,7"),
        ("0-4", "expected seeds such as 0..4 or 0,3,7"),
        ("4..0", "expected the smaller end first"),
        ("0..3,2", "2 occurs twice"),
        ("4294967296", "from 0 to 4294967295"),
        ("0..100000", "at most 1000 seeds"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"--seeds: .*{message}"):
        parse_seeds(text)


def test_the_interval_of_few_runs_is_wide() -> None:
    low, high = student_interval(np.array([1.0, 2.0, 3.0]))
    assert (low, high) == (pytest.approx(2 - 4.303 / 3**0.5, abs=1e-3), pytest.approx(2 + 4.303 / 3**0.5, abs=1e-3))


def test_each_seed_has_a_folder_and_all_a_summary(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workplace)
    monkeypatch.setenv("COLUMNS", "160")
    assert cli.run(["train", "--config", "cartpole.yaml", "--seeds", "0..1"]) == 0
    said = capsys.readouterr().out
    folders = [workplace / f"experiments/CartPole-v1/ppo/test_seed_{seed}" for seed in (0, 1)]
    assert all((folder / "model.zip").is_file() for folder in folders)
    assert "seed: 1\n" in (folders[1] / "config.yaml").read_text()
    assert "95% interval of the mean" in said
    assert (folders[0] / "best_model.zip").read_bytes() != (folders[1] / "best_model.zip").read_bytes()
    assert cli.run(["plot", "test_seed_*"]) == 0
    assert cli.run(["runs", "list"]) == 0
    assert "CartPole-v1/ppo/test_seed_1" in capsys.readouterr().out
