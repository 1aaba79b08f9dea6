"""The worked examples learn what they are to learn, and the page shows them as they are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rl_games.conftest import EXAMPLES

PAGE = Path(__file__).parents[2] / "docs" / "rl_games.md"
SHOWN = "<!-- from examples/runner -->\n"


def success(place: Path, name: str) -> float:
    run = next((place / "runs").glob(f"{name}_*"))
    return float(json.loads((run / "experiment" / "evaluation.json").read_text())["success_rate"])


@pytest.fixture
def judged(place: Path) -> None:
    (place / "config.yml").write_text("evaluation: {num_episodes: 50}\ntraining: {eval: {num_evals: 2}}\n")


@pytest.mark.slow
@pytest.mark.usefixtures("judged")
def test_a_simulator_of_ones_own_is_learned(place: Path, command: Callable[..., int]) -> None:
    assert command("runner", "--train", "--file", EXAMPLES / "point_mass.yaml") == 0
    assert success(place, "PointMass-v0_a2c_continuous") >= 0.9


@pytest.mark.slow
@pytest.mark.usefixtures("judged")
def test_a_new_algorithm_learns_from_what_it_is_shown_alone(
    place: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("runner", "--train", "--file", EXAMPLES / "amp.yaml") == 0
    assert success(place, "PointMass-v0_amp_continuous") >= 0.9
    run = next((place / "runs").glob("PointMass-v0_amp_continuous_*"))
    capsys.readouterr()
    assert command("runner", "--play", "--file", EXAMPLES / "amp.yaml", "--checkpoint", run) == 0
    assert float(capsys.readouterr().out.rpartition("winrate: ")[2]) >= 0.9
    name = (run / "experiment").resolve().name
    evaluate = [Path(sys.executable).with_name("rl-pipeline"), "evaluate", "--experiment", name, "--episodes", "2"]
    done = subprocess.run(evaluate, cwd=place, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "PointMass-v0" in done.stdout


def test_the_page_shows_the_examples_as_they_are() -> None:
    files = [path.read_text() for path in sorted(EXAMPLES.iterdir()) if path.is_file()]
    shown = re.findall(rf"{SHOWN}```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(shown) >= 3
    for block in shown:
        assert any(block in file for file in files), block


def test_the_code_of_the_page_runs() -> None:
    blocks = re.findall(rf"(?<!{SHOWN})```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), {})
