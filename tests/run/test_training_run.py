"""Training on real player processes, and what becomes of it when they or the trainer are killed."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.prepared import PreparedProcess

SHORT = [
    *("experiment.name=run", "environment.video_wrapper=false", "environment.render_mode=null", "ros.tcp_port=0"),
    *("training.log_points=1", "training.eval.num_evals=2", "training.eval.num_episodes=2"),
    *("evaluation.num_episodes=4", "environment.horizon=40", "algorithm.parameters.n_steps=128"),
    "algorithm.parameters.n_epochs=2",
]

pytestmark = pytest.mark.slow


@pytest.fixture
def train(tmp_path):
    """Start `rl-pipeline train` in a folder of its own, as a process."""
    processes = []

    def start(*overrides, prepared=True):
        arguments = ["train", "--config-name", "navigation_ppo", *SHORT, *overrides]
        if prepared:
            process = PreparedProcess(["rl-pipeline", *arguments], tmp_path)
        else:
            process = subprocess.Popen([Path(sys.executable).with_name("rl-pipeline"), *arguments], cwd=tmp_path)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait(10)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "experiments" / "Navigation-v0" / "ppo" / "run"


def players_of(trainer):
    """Process ids of the trainer's players by environment id, told by where their output goes."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            ancestors = parent_of(path.name), parent_of(parent_of(path.name))
            output = re.fullmatch(r"player_(\d+)\.log\.out", (path / "fd" / "1").readlink().name)
        except OSError:
            continue
        if trainer.pid in ancestors and output:
            found[int(output[1])] = int(path.name)
    return found


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_training(trainer, folder):
    episodes = folder / "episodes.csv"
    return {0, 1, 2} <= players_of(trainer).keys() and episodes.exists() and len(episodes.read_text().splitlines()) > 3


def when(log, pattern):
    """Time of the first line of a log that matches."""
    line = next(line for line in log.read_text().splitlines() if re.search(pattern, line))
    return datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f")


def test_killed_player_is_back_and_training_goes_on(train, folder, eventually):
    trainer = train("training.total_timesteps=6000", "n_environments=3")
    eventually(lambda: is_training(trainer, folder), timeout=120)
    before = players_of(trainer)
    os.kill(before[1], signal.SIGKILL)
    eventually(lambda: players_of(trainer).get(1, before[1]) != before[1], timeout=60)
    _, errors = trainer.communicate(timeout=250)
    assert trainer.returncode == 0, errors
    log = folder / "train.log"
    lost = when(log, r"player 1 was killed by SIGKILL; restarting it")
    after = log.read_text().partition("restarting it")[2]
    back = datetime.strptime(re.search(r"(\S+ \S+) INFO \S+ 1 players? connected", after)[1], "%Y-%m-%d %H:%M:%S,%f")
    assert (back - lost).total_seconds() < 30.0, "the next start of a player waits for nothing"
    assert (folder / "best_model.zip").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_no_player_outlives_the_trainer(train, folder, eventually, is_running, number, code):
    trainer = train("training.total_timesteps=1000000", "n_environments=3", prepared=False)
    eventually(lambda: is_training(trainer, folder), timeout=60)
    players = players_of(trainer).values()
    trainer.send_signal(number)
    trainer.communicate(timeout=30)
    assert trainer.returncode == code
    eventually(lambda: not any(map(is_running, players)), timeout=60.0)
    if number != signal.SIGKILL:
        assert (folder / "model.zip").exists()
        assert json.loads((folder / "metadata.json").read_text())["status"] == "interrupted"


def test_players_of_several_worlds_train_film_and_evaluate(train, folder):
    worlds = ("n_environments=8", "worlds_per_player=4")
    filmed = ("environment.video_wrapper=true", "environment.video_trigger=100", "environment.video_length=20")
    trainer = train("training.total_timesteps=2048", *worlds, *filmed, "environment.render_mode=rgb_array")
    _, errors = trainer.communicate(timeout=250)
    assert trainer.returncode == 0, errors
    assert json.loads((folder / "evaluation.json").read_text())["episodes"] == 4
    assert list((folder / "videos").glob("*.mp4"))
    assert len(list((folder / "players").glob("player_*.log"))) == 3, "two to train on, one to evaluate on"


def test_player_written_from_the_protocol_alone_trains(train, folder, build):
    trainer = train("training.total_timesteps=2000", "n_environments=2", f"unity.build_path={build()}")
    _, errors = trainer.communicate(timeout=250)
    assert trainer.returncode == 0, errors
    assert json.loads((folder / "evaluation.json").read_text())["episodes"] == 4


def test_players_started_elsewhere_serve_training_and_evaluation(train, folder, build, eventually):
    port = 20000 + os.getpid() % 20000
    trainer = train("training.total_timesteps=1000", "n_environments=2", "unity.launch=false", f"ros.tcp_port={port}")
    players = []
    try:
        for index in range(2):
            arguments = ["--ros-ip", "127.0.0.1", "--ros-port", str(port), "--environment-id", str(index)]
            loop = f"until {build()} {' '.join(arguments)} 2>/dev/null; do sleep 0.2; done"
            players.append(subprocess.Popen(loop, shell=True, start_new_session=True))
        _, errors = trainer.communicate(timeout=250)
    finally:
        for player in players:
            os.killpg(player.pid, signal.SIGKILL)
            player.wait(5)
    assert trainer.returncode == 0, errors
    assert "evaluation at" in (folder / "train.log").read_text()


def test_same_seed_trains_the_same_agent(train, tmp_path):
    trainers = [
        train("training.total_timesteps=1024", "n_environments=2", f"experiment.name={name}")
        for name in ("first", "second")  # side by side, which the seed must not notice
    ]
    for trainer in trainers:
        _, errors = trainer.communicate(timeout=250)
        assert trainer.returncode == 0, errors
    experiments = tmp_path / "experiments" / "Navigation-v0" / "ppo"
    rows = [(experiments / name / "episodes.csv").read_text().splitlines() for name in ("first", "second")]
    first, second = ([row.rpartition(",")[0] for row in episodes] for episodes in rows)  # but for the time
    assert first == second
    assert len(first) > 10
