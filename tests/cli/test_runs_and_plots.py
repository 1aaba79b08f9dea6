"""`rl-pipeline runs`, `plot` and `evaluate` of several models, on folders that real trainings left."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from rl_pipeline import cli
from rl_pipeline.experiment.folder import existing_experiments

CARTPOLE = """
environment: {id: CartPole-v1, horizon: 40, video_wrapper: false}
algorithm: {name: ppo, parameters: {policy: MlpPolicy, n_steps: 32, batch_size: 32, n_epochs: 1}}
training: {total_timesteps: 256, device: cpu, log_points: 1, eval: {num_evals: 1, num_episodes: 2}}
evaluation: {num_episodes: 3}
simulation: {n_environments: 2}
"""

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the experiments `cart_0` and `cart_1`, which differ by their seed."""
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "cartpole.yaml").write_text(CARTPOLE)
    for seed in (0, 1):
        arguments = [f"training.seed={seed}", f"experiment.name=cart_{seed}", f"experiment.directory={folder}/runs"]
        assert cli.run(["train", "--config", str(folder / "cartpole.yaml"), *arguments]) == 0
    return folder / "runs"


@pytest.fixture
def runs(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workplace with a copy of these experiments, to be changed at will."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree(trained, "experiments")
    return Path("experiments")


def said(capsys: Capture, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert cli.run(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_runs_are_listed_and_filtered(runs: Path, capsys: Capture) -> None:
    text = said(capsys, "runs", "list")
    assert "CartPole-v1/ppo/cart_0" in text
    assert "CartPole-v1/ppo/cart_1" in text
    assert "done" in text
    text = said(capsys, "runs", "list", "--where", "training.seed=1", "--where", "status=done")
    assert "cart_1" in text
    assert "cart_0" not in text
    text = said(capsys, "runs", "list", "--where", "training.sed=1", code=2)
    assert "--where: unknown key 'training.sed'; did you mean 'training.seed'" in text


def test_names_are_whole_in_a_pipe(runs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    folder = runs / "CartPole-v1/ppo/cart_0"
    name = "a_long_name_" * 12 + "[b]"
    folder.rename(folder.with_name(name))
    for verb in ("list", "compare"):
        assert any(name in line for line in said(capsys, "runs", verb).splitlines())


def test_runs_are_listed_as_json(runs: Path, capsys: Capture) -> None:
    listed = json.loads(said(capsys, "runs", "list", "--json", "--where", "training.seed=1"))
    assert [(run["name"], run["seed"], run["status"]) for run in listed] == [("cart_1", 1, "done")]
    assert listed[0]["folder"] == str(runs / "CartPole-v1/ppo/cart_1")
    assert listed[0]["timesteps"] == 256
    assert isinstance(listed[0]["mean_return"], float)
    assert json.loads(said(capsys, "runs", "list", "--json", "--directory", "nowhere")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["plot", "--output", "curves.png"],
        ["runs", "list"],
        ["runs", "remove", "--yes"],
        ["evaluate", "--episodes", "1"],
        ["export", "--output", "agent.onnx"],
        ["resume", "training.total_timesteps=288"],
    ],
)
def test_every_verb_finds_experiments_by_the_same_options(runs: Path, capsys: Capture, arguments: list[str]) -> None:
    elsewhere = Path("ü, 'a b'")
    runs.rename(elsewhere)
    said(capsys, *arguments, "--experiment", "cart_1", code=2)
    said(capsys, *arguments, "--directory", str(elsewhere), "--experiment", "cart_1")
    said(capsys, *arguments, "--experiment", "cart_0", "--directory", "nowhere", code=2)


def test_folders_are_taken_by_the_same_options_and_config_yml_says_where_they_are(runs: Path, capsys: Capture) -> None:
    elsewhere = Path("ü")
    runs.rename(elsewhere)
    folder = str(elsewhere / "CartPole-v1/ppo/cart_0")
    assert "cart_1" not in said(capsys, "runs", "list", "--experiment", folder)
    said(capsys, "plot", "--experiment", folder, "--experiment", str(elsewhere / "CartPole-v1/ppo/cart_1"))
    Path("config.yml").write_text("experiment: {directory: ü}\n")
    assert "cart_1" in said(capsys, "runs", "list")
    assert said(capsys, "runs", "remove", code=2).startswith("error: expected the experiments to remove")
    assert said(capsys, "resume", code=2).startswith("error: expected the experiment to resume")


def test_comparing_runs_shows_what_differs_and_nothing_else(runs: Path, capsys: Capture) -> None:
    lines = said(capsys, "runs", "compare", "cart_0", "cart_1").splitlines()
    words = [line.split() for line in lines]
    assert ["training.seed", "0", "1"] in words
    assert not any(line.startswith("training.total_timesteps") for line in lines)
    assert "two or more" in said(capsys, "runs", "compare", "cart_0", code=2)


def test_runs_are_removed_once_that_is_confirmed(runs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    said(capsys, "runs", "remove", "cart_0")
    assert len(existing_experiments(runs)) == 2
    assert "removed" in said(capsys, "runs", "remove", "cart_0", "--yes")
    assert [folder.path.name for folder in existing_experiments(runs)] == ["cart_1"]


def test_a_run_that_seems_to_be_running_is_not_removed_unless_forced(runs: Path, capsys: Capture) -> None:
    metadata = runs / "CartPole-v1/ppo/cart_0/metadata.json"
    metadata.write_text('{"status": "running"}')
    assert "still running" in said(capsys, "runs", "remove", "cart_0", "--yes", code=2)
    assert metadata.exists()
    said(capsys, "runs", "remove", "cart_0", "--yes", "--force")
    assert not metadata.exists()


def test_curves_and_report_of_two_seeds(runs: Path, capsys: Capture) -> None:
    text = said(capsys, "plot", "cart_*", "--output", "seeds.png", "--html", "seeds.html")
    assert "seeds.png" in text
    assert Path("seeds.png").read_bytes().startswith(b"\x89PNG")
    page = Path("seeds.html").read_text()
    assert "<td>cart</td><td>2</td><td>CartPole-v1</td><td>PPO</td>" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plot", "--output", "curves.jpg"], "--output: expected a name that ends with .png or .svg"),
        (["plot", "--html", "nowhere/report.html"], "--html: there is no folder nowhere"),
        (["plot", "card_0"], "unknown experiment 'card_0'; did you mean 'cart_0'"),
        (
            ["evaluate", "--model", "checkpoint"],
            "unknown model 'checkpoint'; valid: best_model, model, ",
        ),
        (["evaluate", "--experiment", "card*"], "unknown experiment 'card*'"),
        (["evaluate", "--csv", "nowhere/a.csv"], "--csv: there is no folder nowhere"),
        (
            ["plot", "--directory", "elsewhere"],
            "no experiment with an ended episode in elsewhere: run `rl-pipeline train` first",
        ),
        (["runs", "list", "--where", "seed"], "--where: expected KEY=VALUE"),
    ],
)
def test_bad_requests_are_refused(runs: Path, capsys: Capture, arguments: list[str], message: str) -> None:
    assert message in said(capsys, *arguments, code=2)


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
