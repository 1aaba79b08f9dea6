from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.experiment.plots.comparison import draw_comparison
from rl_pipeline.experiment.plots.html_report import write_html_report
from rl_pipeline.experiment.plots.learning_curves import Episodes, Group, grouped
from rl_pipeline.experiment.record import ExperimentRecord

HEADER = "timesteps,return,length,success,seconds\n"


def write_run(folder: Path, level: float, *, seed: int, end: int = 1000, rate: float = 3e-4) -> ExperimentRecord:
    folder.mkdir(parents=True)
    lines = [f"{step},{level},20,1,{step / 100}\n" for step in range(20, end + 1, 20)]
    (folder / "episodes.csv").write_text(HEADER + "".join(lines))
    settings = {"environment.id": "A-v0", "algorithm.parameters.learning_rate": rate, "training.seed": seed}
    evaluation = {"mean_return": level, "success_rate": 0.5, "mean_length": 20.0}
    return ExperimentRecord(ExperimentFolder(folder), settings, {"status": "done", "timesteps": end}, evaluation)


def test_seeds_become_one_curve_of_their_mean_and_spread(tmp_path: Path) -> None:
    records = [write_run(tmp_path / f"cart_seed_{seed}", float(seed), seed=seed) for seed in range(3)]
    (group,) = grouped(records)
    assert group.label == "cart"
    curve = group.curve("timesteps", "return")
    assert curve is not None
    x, mean, spread = curve
    assert (x[0], x[-1]) == (20, 1000)
    np.testing.assert_allclose(mean, 1.0)
    np.testing.assert_allclose(spread, 1.0)


def test_a_mean_ends_where_the_shortest_run_does(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / "a0", 1.0, seed=0), write_run(tmp_path / "a1", 2.0, seed=1, end=400)]
    (group,) = grouped(runs)
    for axis, end in (("timesteps", 400.0), ("seconds", 4.0)):
        curve = group.curve(axis, "return")
        assert curve is not None
        assert curve[0][-1] == end


def test_a_shorter_run_has_the_same_curve_as_far_as_it_goes(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / f"{end}" / "run", 1.0, seed=0, end=end, rate=end) for end in (20_000, 4_000)]
    for run in runs:
        file = run.folder.episodes
        rows = [f"{20 * (k + 1)},{(-1) ** k * k**0.5},20,1,\n" for k in range(len(file.read_text().splitlines()) - 1)]
        file.write_text(HEADER + "".join(rows))
    long, short = grouped(runs)
    curves = [group.episodes[0].smoothed("timesteps", "return", group.window) for group in (long, short)]
    count = len(curves[1][0])
    assert count == 200
    for whole, part in zip(*curves, strict=True):
        np.testing.assert_array_equal(whole[:count], part)
    assert long.window == 1000 // 20
    for group in (long, short):
        drawn = group.curve("timesteps", "return")
        assert drawn is not None
        np.testing.assert_allclose(drawn[1][-1], group.episodes[0].columns["return"][-long.window :].mean())


def test_groups_of_equal_names_are_told_apart_by_what_differs(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / str(rate) / "run", 1.0, seed=0, rate=rate) for rate in (1e-3, 1e-4)]
    assert [group.label for group in grouped(runs)] == ["run, learning_rate=0.001", "run, learning_rate=0.0001"]


def test_files_of_running_killed_and_older_runs_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    file = tmp_path / "episodes.csv"
    assert len(Episodes.read(file).columns["return"]) == 0
    file.write_text("timesteps,return,length,success\n20,1.5,20,\n40,2.5,20,\n60,")
    episodes = Episodes.read(file)
    steps, returns = episodes.smoothed("timesteps", "return")
    assert (steps.tolist(), returns.tolist()) == ([20, 40], [1.5, 2.0])
    assert len(episodes.smoothed("timesteps", "success")[0]) == 0
    assert len(episodes.smoothed("seconds", "return")[0]) == 0


@pytest.mark.parametrize("name", ["curves.png", "curves.svg"])
def test_the_picture_has_the_kind_of_its_ending(tmp_path: Path, name: str) -> None:
    draw_comparison(tmp_path / name, grouped([write_run(tmp_path / "a", 1.0, seed=0)]), "A-v0")
    beginning = (tmp_path / name).read_bytes()[:8]
    assert beginning == b"\x89PNG\r\n\x1a\n" if name.endswith("png") else beginning.startswith(b"<?xml")


def test_a_group_without_an_episode_is_drawn_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    record = ExperimentRecord(ExperimentFolder(tmp_path / "a"), {}, {}, None)
    draw_comparison(tmp_path / "curves.png", [Group("a", [record], [Episodes.read(tmp_path / "none")])], "empty")
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_the_report_is_one_file_with_figures_videos_and_settings(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / f"{rate}" / "run", 1.0, seed=0, rate=rate) for rate in (1e-3, 1e-4)]
    runs[0].folder.videos.mkdir()
    runs[0].folder.final_video.write_bytes(b"film")
    write_html_report(tmp_path / "report.html", grouped(runs), "A <b>title</b>")
    page = (tmp_path / "report.html").read_text()
    assert "A &lt;b&gt;title" in page
    assert 'src="data:image/png;base64,' in page
    assert page.count("<video") == 1
    assert "ZmlsbQ==" in page
    assert "<code>algorithm.parameters.learning_rate</code></td><td>0.001</td><td>0.0001" in page
    assert 'src="http' not in page
    assert "href=" not in page
