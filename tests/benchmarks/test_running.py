"""`rl-pipeline benchmark`: a summary of all benchmarks, and arguments that are refused before anything is measured."""

import json
from io import StringIO

import pytest
from rich.console import Console

from rl_pipeline.benchmarks import running
from rl_pipeline.benchmarks.figures import Bar, Figures
from rl_pipeline.errors import InputError
from tests.support.benchmarks import is_picture


@pytest.fixture
def two_benchmarks(monkeypatch):
    """`all` is a benchmark that finds something and one whose package is not installed."""

    def run(name, console, options):
        if name == "ros":
            raise InputError("ROS 2: this Python has no rclpy")
        return Figures("", (), [], "", {"seconds": options["seconds"]}, [Bar("fast", [2, 3], 2.4), Bar("slow", [1], 2)])

    monkeypatch.setattr(running, "BENCHMARKS", {"transport": "", "ros": "", "soak": ""})
    monkeypatch.setattr(running, "_run", run)


@pytest.mark.usefixtures("two_benchmarks")
def test_all_sums_up_what_can_be_measured_and_says_what_cannot(tmp_path):
    console = Console(file=StringIO(), width=120)
    files = {"json_file": tmp_path / "all.json", "plot": tmp_path / "all.png"}
    running.benchmark("all", console, options={"seconds": 0.5}, **files)
    text = console.file.getvalue()
    assert "ros is left out. ROS 2: this Python has no rclpy" in text
    rows = {line.split("│")[1].strip(): line for line in text.splitlines() if line.startswith("│")}
    assert "reached" in rows["fast"]
    assert "missed" in rows["slow"]
    found = json.loads(files["json_file"].read_text())
    assert found["transport"] == {"seconds": 0.5}
    assert [figure["name"] for figure in found["figures"]] == ["fast", "slow"]
    assert is_picture(files["plot"])


@pytest.mark.parametrize(
    ("what", "plot", "message"),
    [
        ("transprot", None, "unknown benchmark 'transprot'; did you mean 'transport'"),
        ("transport", "chart.jpg", r"--plot: expected a file that ends in .png, .svg, .pdf, found .*chart.jpg"),
        ("transport", "none/chart.png", r"--plot: there is no folder .*none"),
        ("soak", "chart.png", "--plot: soak has no chart"),
    ],
)
def test_bad_input_is_refused_before_anything_is_measured(tmp_path, what, plot, message):
    with pytest.raises(InputError, match=message):
        running.benchmark(what, Console(), options={}, plot=tmp_path / plot if plot else None)
