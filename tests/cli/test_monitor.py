"""Times of players, link and agent as users see them: in TensorBoard, in another terminal, with an evaluation."""

import io
import json
import re
import shutil
import threading

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rl_pipeline.cli.monitor import show_communication
from rl_pipeline.config.schema import Config
from rl_pipeline.errors import InputError
from rl_pipeline.evaluation.communication_table import communication_table
from rl_pipeline.evaluation.evaluate import evaluate
from rl_pipeline.experiment.communication_file import read_communication, write_communication
from rl_pipeline.experiment.folder import ExperimentFolder
from rl_pipeline.run.rl_trainer import RLTrainer
from rl_pipeline.transport.timing import ClockOffset, Communication, Statistics

ROWS = ["request latency", "processing", "response latency", "round trip", "inference"]
FIGURES = Communication(7, 2, *[Statistics(0.001, 0.002, 0.0005, 0.0001, 0.009)] * 5, ClockOffset(1, -0.25, 0.002))


@pytest.fixture
def config(settings, tmp_path):
    return Config.model_validate(
        {
            "experiment": {"name": "watched", "directory": tmp_path / "experiments"},
            "environment": {"horizon": 20, "render_mode": None, "video_wrapper": False},
            "algorithm": {"name": "ppo", "parameters": {"n_steps": 32, "batch_size": 32, "n_epochs": 1}},
            "training": {"total_timesteps": 128, "device": "cpu", "eval": {"num_evals": 0}, "verbose": 0},
            "evaluation": {"num_episodes": 2},
            "simulation": settings("embedded").model_dump(),
        }
    )


@pytest.fixture
def folder(tmp_path):
    """The folder of a run that goes on."""
    path = tmp_path / "experiments" / "Navigation-v0" / "ppo" / "going"
    path.mkdir(parents=True)
    (path / "config.yaml").write_text("{}\n")
    (path / "metadata.json").write_text('{"status": "running"}')
    return ExperimentFolder(path)


def screen(**options):
    return Console(file=io.StringIO(), width=120, **options)


def shown(console):
    return console.file.getvalue()


@pytest.mark.slow
def test_training_on_players_leaves_scalars_and_a_table(config, tmp_path):
    folder = RLTrainer(config).train().folder
    events = EventAccumulator(str(folder.tensorboard)).Reload()
    tags = [tag for tag in events.Tags()["scalars"] if tag.startswith("communication/")]
    assert len(tags) == 5 * 5 + 1
    mean = {row: events.Scalars(f"communication/{row}_ms/mean")[-1].value for row in ("request_latency", "round_trip")}
    assert 0.0 < mean["request_latency"] < mean["round_trip"] < 5_000.0
    figures, timesteps = read_communication(folder.communication)
    assert figures.players == 2
    assert 2 <= timesteps <= 128
    console = screen()
    show_communication(None, tmp_path / "experiments", once=True, console=console)
    assert f"watched: {timesteps} steps, ended" in shown(console)
    assert re.findall("|".join(ROWS), shown(console)) == ROWS


MONITORED = {
    "experiments": [], "models": [], "agent": "zero", "overrides": [], "seed": None, "json_file": None,
    "csv_file": None, "monitor": True, "record_bag": None,
}  # fmt: skip
"""An evaluation of the agent that does nothing, watched."""


def test_evaluation_shows_the_table_when_asked(config):
    console = screen()
    evaluate(config, **MONITORED, episodes=2, console=console)
    assert re.findall("|".join(ROWS), shown(console)) == ROWS
    assert "steps of 2 players" in shown(console)
    assert "success rate" in shown(console)


def test_environment_without_players_has_nothing_to_watch():
    config = Config.model_validate({"environment": {"id": "CartPole-v1"}})
    with pytest.raises(InputError, match="without players"):
        evaluate(config, **MONITORED, episodes=1, console=screen())


def test_live_table_follows_a_run_and_ends_with_it(folder, tmp_path, eventually):
    console = screen(force_terminal=True)
    watching = threading.Thread(
        target=show_communication, args=("going", tmp_path / "experiments"), kwargs={"once": False, "console": console}
    )
    watching.start()
    try:
        eventually(lambda: "no step yet" in shown(console))
        write_communication(folder.communication, FIGURES, 1234)
        eventually(lambda: "going: 1,234 steps" in shown(console))
    finally:
        folder.metadata.write_text('{"status": "done"}')
        watching.join(5.0)
    assert not watching.is_alive()
    assert "1,234 steps, ended" in shown(console)


def test_table_gives_milliseconds_and_says_what_was_taken_out():
    console = screen()
    console.print(communication_table(FIGURES, "title"))
    assert re.search(r"processing\W+1\.000\W+2\.000\W+0\.500\W+0\.100\W+9\.000", shown(console))
    assert "player 1 differs by -250.000 ms (known to 2.000 ms)" in shown(console)


def test_file_gives_back_what_was_written_and_is_never_in_the_way(tmp_path):
    path = tmp_path / "communication.json"
    assert read_communication(path) is None
    write_communication(path, FIGURES, 5)
    assert read_communication(path) == (FIGURES, 5)
    assert json.loads(path.read_text())["clock_offset"]["seconds"] == -0.25
    write_communication(tmp_path / "missing" / "communication.json", FIGURES, 5)


def test_a_file_that_a_power_failure_emptied_counts_as_none(tmp_path):
    path = tmp_path / "communication.json"
    path.write_bytes(b"")
    assert read_communication(path) is None


def test_runs_without_figures_are_named(folder, tmp_path):
    folder.metadata.write_text('{"status": "done"}')
    with pytest.raises(InputError, match="left no communication"):
        show_communication("going", tmp_path / "experiments", once=True, console=screen())
    with pytest.raises(InputError, match="no experiment on players in"):
        show_communication(None, tmp_path / "experiments", once=True, console=screen())


def test_the_newest_run_is_watched_and_else_the_newest_that_has_figures(folder, tmp_path):
    later = folder.path.with_name("later")
    shutil.copytree(folder.path, later)
    (later / "config.yaml").touch()
    write_communication(folder.communication, FIGURES, 5)
    console = screen()
    show_communication(None, tmp_path / "experiments", once=True, console=console)
    (later / "metadata.json").write_text('{"status": "interrupted"}')
    folder.metadata.write_text('{"status": "done"}')
    show_communication(None, tmp_path / "experiments", once=True, console=console)
    assert re.findall(r"\w+: \d+ steps", shown(console)) == ["later: 0 steps", "going: 5 steps"]
