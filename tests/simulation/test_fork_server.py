"""Embedded players are forked from a process that has imported everything: like programs in all else."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rl_pipeline.simulation import fork_server
from rl_pipeline.simulation.forked_process import ForkServerError, shared_fork_server
from rl_pipeline.simulation.player_process import PlayerProcess
from rl_pipeline.simulation.simulation import Simulation

MODULE = "rl_pipeline.players.navigation"


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def fork(tmp_path):
    """Fork the navigation player, with its output in a file."""
    started = []

    def fork(*arguments, **variables):
        with (tmp_path / "output").open("wb") as output:
            environment = {**os.environ, **variables}
            started.append(
                shared_fork_server().start(
                    MODULE, arguments, output=output.fileno(), folder=tmp_path, environment=environment
                )
            )
        return started[-1]

    yield fork
    for process in started:
        process.kill()
        process.wait(10)


def test_a_forked_player_has_the_folder_output_variables_and_session_it_was_given(fork, tmp_path, eventually):
    process = fork("-batchmode", "--ros-port", "1", "--environment-id", "3", "-logFile", "own.log", MARK="of the test")
    eventually((tmp_path / "own.log").exists)
    assert Path(f"/proc/{process.pid}/comm").read_text() == "player_3\n"
    assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_exit_code_is_that_of_a_program(fork, tmp_path, eventually, number, code):
    process = fork("-batchmode", "--ros-port", "1", "-logFile", "own.log")
    eventually((tmp_path / "own.log").exists)
    os.kill(process.pid, number)
    assert process.wait(20) == code
    assert process.poll() == code


def test_told_to_end_at_any_moment_of_its_start_a_player_does(fork, tmp_path, eventually):
    """An extension that is left in the middle may swallow the exception, or make another one of it."""
    log = tmp_path / "own.log"
    for moment in range(50):
        log.unlink(missing_ok=True)
        process = fork("-batchmode", "--ros-port", "1", "-logFile", "own.log")
        eventually(log.exists)
        threading.Event().wait(0.001 * moment)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()


def test_bad_input_is_told_where_the_output_goes(fork, tmp_path):
    assert fork("--ros-port", "many").wait(20) == 2
    assert "--ros-port" in (tmp_path / "output").read_text()


def test_several_that_end_at_once_keep_their_codes_apart(fork):
    failed = [fork("--ros-port", "many") for _ in range(4)]
    killed = [fork("-batchmode", "--ros-port", "1") for _ in range(4)]
    for process in killed:
        process.kill()
    assert [process.wait(20) for process in reversed([*failed, *killed])] == [-signal.SIGKILL] * 4 + [2] * 4


def test_a_server_that_was_killed_is_begun_anew(settings, tmp_path, eventually):
    config = settings("embedded", pause=True)
    with Simulation(config, "navigation", tmp_path) as simulation:
        simulation.start(1)
        first = simulation.processes[0]
        server = parent_of(first.pid)
        assert server != os.getpid()
        os.kill(server, signal.SIGKILL)
        os.kill(first.pid, signal.SIGKILL)
        eventually(lambda: first.exit_status() is not None)
        simulation.replace({0: ""})
        assert parent_of(simulation.processes[0].pid) not in (server, os.getpid())


def test_where_a_player_cannot_stand_is_told_and_others_go_on(fork, tmp_path, eventually):
    standing = fork("-batchmode", "--ros-port", "1", "-logFile", "own.log")
    with (tmp_path / "output").open("wb") as output, pytest.raises(ForkServerError, match="No such file"):
        shared_fork_server().start(
            MODULE, [], output=output.fileno(), folder=tmp_path / "nowhere", environment=os.environ
        )
    eventually((tmp_path / "own.log").exists)
    os.kill(standing.pid, signal.SIGTERM)
    assert standing.wait(20) == 0


def test_a_request_that_cannot_be_forked_is_run_as_a_program(tmp_path, monkeypatch):
    monkeypatch.setattr(fork_server, "MAX_REQUEST", 1)
    command = [sys.executable, "-m", MODULE, "--ros-port", "many"]
    player = PlayerProcess(command, tmp_path / "player.log", None, module=MODULE)
    assert player.exit_status(20.0) == "exited with code 2"
    assert "--ros-port" in player.log_tail()


def test_server_and_players_end_with_the_process_that_is_killed(tmp_path, eventually, is_running):
    script = (
        "import sys, time; from pathlib import Path\n"
        "from rl_pipeline.config.schema import SimulationConfig\n"
        "from rl_pipeline.simulation.simulation import Simulation\n"
        "config = SimulationConfig.model_validate({'ros': {'tcp_port': 0}})\n"
        f"simulation = Simulation(config, 'navigation', Path({str(tmp_path)!r}))\n"
        "simulation.start(2)\n"
        "print(*(player.pid for player in simulation.processes.values()), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as trainer:
        players = [int(word) for word in trainer.stdout.readline().split()]
        server = parent_of(players[0])
        assert parent_of(server) == trainer.pid
        trainer.kill()
    assert len(players) == 2
    eventually(lambda: not any(map(is_running, [server, *players])))


def test_a_server_is_not_usable_from_a_process_that_was_forked_off(monkeypatch):
    mine = shared_fork_server()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert not mine.is_usable
