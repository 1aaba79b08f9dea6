"""`rl-pipeline evaluate` of several models, and of baselines."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest

from rl_pipeline import cli
from tests.support import prepared

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert cli.run(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_models_are_judged_side_by_side_and_episode_by_episode(runs: Path, capsys: Capture) -> None:
    text = said(
        capsys, "evaluate", "--experiment", "cart_*", "--model", "all", "--episodes", "4",
        "--csv", "episodes.csv", "--json", "figures.json",
    )  # fmt: skip
    models = ["model_256_steps", "model"]
    for run in ("cart_0", "cart_1"):
        for model in models:
            assert f"{run} {model} " in text
    assert "cart model, 2 runs" in text
    rows = list(csv.DictReader(Path("episodes.csv").read_text().splitlines()))
    assert len(rows) == 4 * 2 * 2
    assert {(row["training_seed"], row["model"]) for row in rows} == {(s, m) for s in "01" for m in models}
    assert [row["seed"] for row in rows[:4]] == ["1000000", "1000001", "1000002", "1000003"]
    figures = json.loads(Path("figures.json").read_text())
    mean = sum(float(row["return"]) for row in rows if row["model"] == "model") / 8
    assert figures["cart model, 2 runs"]["mean_return"] == pytest.approx(mean, rel=1e-4)


def test_a_model_of_several_plays_as_it_does_alone(runs: Path, capsys: Capture) -> None:
    said(capsys, "evaluate", "--experiment", "cart_*", "--episodes", "3", "--json", "both.json")
    said(capsys, "evaluate", "--experiment", "cart_0", "--episodes", "3", "--json", "one.json")
    both, one = json.loads(Path("both.json").read_text()), json.loads(Path("one.json").read_text())
    assert both["cart_0 best_model"]["mean_return"] == one["mean_return"]


def call(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return prepared.run(["rl-pipeline", *arguments], directory)


@pytest.mark.parametrize("agent", ["random", "zero"])
def test_baselines_need_no_experiment(workplace: Path, agent: str) -> None:
    result = call(workplace, "evaluate", "--config", "cartpole.yaml", "--agent", agent, "--json", "-")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["agent"] == f"{agent} agent"
