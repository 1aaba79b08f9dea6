"""Every benchmark in short: it measures what it says, and its figures hang together. How fast is not judged here."""

import json
import statistics
from importlib.util import find_spec
from io import StringIO

import pytest
from PIL import Image
from rich.console import Console

from rl_pipeline.benchmarks import running as verb
from rl_pipeline.benchmarks.camera_images import measure_images
from rl_pipeline.benchmarks.charts import draw_bars
from rl_pipeline.benchmarks.connector import measure_connector
from rl_pipeline.benchmarks.environments import measure_environments
from rl_pipeline.benchmarks.figures import RATE, SHARE, TIMES, Bar, Figures
from rl_pipeline.benchmarks.mlagents import measure_mlagents
from rl_pipeline.benchmarks.ros import measure_ros
from rl_pipeline.benchmarks.scaling import measure_scaling
from rl_pipeline.benchmarks.training import measure_training
from rl_pipeline.errors import InputError

SHORT = {"seconds": 0.1, "repetitions": 2}


def check(figures, bars):
    """Tables are full, values are JSON, and there is a bar of two positive figures for each name."""
    assert all(len(row) == len(figures.columns) for row in figures.rows)
    json.dumps(figures.values)
    assert [bar.name for bar in figures.bars] == bars
    assert all(len(bar.values) == 2 and statistics.median(bar.values) > 0 for bar in figures.bars)


def has_ros():
    return all(find_spec(name) is not None for name in ("rclpy", "interfaces_pkg"))


def is_picture(path, least_width=600):
    with Image.open(path) as image:
        return image.width >= least_width and len(image.convert("L").getcolors(256) or range(256)) > 20


def test_players_with_the_connectors_traffic_are_judged_by_their_rates():
    figures = measure_connector(players=2, **SHORT)
    polls = [(count, poll) for poll in (10, 1) for count in ("1 player", "2 players")]
    check(figures, [f"{count}, polling every {poll} ms" for count, poll in polls])
    alone = [case for case in figures.values["cases"] if case["players"] == 1]
    assert max(rate for case in alone for rate in case["plain_rates"]) < 1 / 0.04, "acknowledgements are not delayed"


@pytest.mark.slow
def test_images_raw_and_compressed_are_measured():
    figures = measure_images(players=2, **SHORT)
    check(figures, ["84 x 84 raw, 2 players", "1280 x 720 raw, 1 player"])
    assert len(figures.rows) == 4


@pytest.mark.slow
def test_environments_are_measured_in_every_way_to_step_them():
    figures = measure_environments(players=2, **SHORT)
    check(figures, [])
    assert all(
        len(rates) == 2 and min(rates) > 0 for case in figures.values["cases"] for rates in case["rates"].values()
    )


def test_mlagents_is_measured_with_one_agent_and_sixteen():
    pytest.importorskip("mlagents_envs")
    names = ["1 agent", "16 agents, 16 worlds in one player"]
    check(measure_mlagents(**SHORT), [f"mlagents-envs, {name}" for name in names])


def test_service_calls_of_rclpy_are_measured():
    pytest.importorskip("rclpy")
    pytest.importorskip("interfaces_pkg")
    figures = measure_ros(**SHORT)
    check(figures, [bar.name for bar in figures.bars])
    assert figures.bars[0].name == "rclpy service, SingleThreadedExecutor"


@pytest.mark.slow
def test_transport_comes_with_the_endpoint_on_ros_where_that_is_installed(tmp_path):
    output, file = StringIO(), tmp_path / "figures.json"
    verb.benchmark("transport", Console(file=output, width=200), options=SHORT | {"players": 2}, json_file=file)
    figures = json.loads(file.read_text())
    assert figures["cases"]
    if has_ros():
        assert figures["ros-endpoint"]["rates"]["ros2 backend, 2 players"]
    else:
        assert "ros-endpoint is left out. ROS 2" in output.getvalue()


@pytest.mark.slow
def test_training_is_measured_with_its_curve(tmp_path):
    figures = measure_training(players=2, timesteps=128, repetitions=2)
    check(figures, ["PPO end to end, 2 players, SubprocVecEnv"])
    for side in ("ours", "theirs"):
        assert all(rate > 0 for rate in figures.values[side]["rates"])
        assert all(max(timesteps, default=0) <= 128 for timesteps in figures.values[side]["timesteps"])
    figures.draw(tmp_path / "curves.png")
    assert is_picture(tmp_path / "curves.png")


@pytest.mark.slow
def test_rate_is_measured_against_players_and_payload(tmp_path):
    figures = measure_scaling(players=2, **SHORT)
    check(figures, [])
    assert [point["players"] for point in figures.values["by_players"]] == [1, 2]
    payloads = [point["response_bytes"] for point in figures.values["by_payload"]]
    assert payloads == sorted(payloads)
    assert payloads[-1] > 3_000_000
    figures.draw(tmp_path / "scaling.png")
    assert is_picture(tmp_path / "scaling.png")


def test_bars_of_every_unit_are_drawn(tmp_path):
    bars = [Bar("a", [0.5, 0.6], 0.55), Bar("b", [0.2, 0.3], 0.55, SHARE)]
    draw_bars(tmp_path / "bars.png", [*bars, Bar("c", [3, 4], 0.0, TIMES), Bar("d", [90, 95], 80, RATE)])
    assert is_picture(tmp_path / "bars.png")


@pytest.fixture
def two_benchmarks(monkeypatch):
    """`all` is a benchmark that finds something and one whose package is not installed."""

    def measure(what, console, options):
        if what == "ros":
            raise InputError("ROS 2: this Python has no rclpy")
        return Figures("", (), [], "", {"seconds": options["seconds"]}, [Bar("fast", [2, 3], 2.4), Bar("slow", [1], 2)])

    monkeypatch.setattr(verb, "BENCHMARKS", {"transport": "", "ros": "", "soak": ""})
    monkeypatch.setattr(verb, "_run", measure)


@pytest.mark.usefixtures("two_benchmarks")
def test_all_sums_up_what_can_be_measured_and_says_what_cannot(tmp_path):
    console = Console(file=StringIO(), width=120)
    files = {"json_file": tmp_path / "all.json", "plot": tmp_path / "all.png"}
    verb.benchmark("all", console, options={"seconds": 0.5}, **files)
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
def test_bad_input_is_told_before_anything_is_measured(tmp_path, what, plot, message):
    with pytest.raises(InputError, match=message):
        verb.benchmark(what, Console(), options={}, plot=tmp_path / plot if plot else None)
