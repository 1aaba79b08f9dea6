import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.errors import InputError
from rl_pipeline.simulation.simulation import PlayerError, Simulation


def test_players_connect_and_their_ids_go_on(settings, tmp_path, caplog):
    caplog.set_level("INFO", "rl_pipeline")
    with Simulation(settings(), "navigation", tmp_path / "logs") as simulation:
        assert simulation.start(2) == [0, 1]
        assert simulation.start(1) == [2]
        assert re.findall(r"\d players? connected", caplog.text) == ["2 players connected", "1 player connected"]
        assert sorted(simulation.endpoint.services) == sorted(
            f"/navigation_{index}/{service}" for index in range(3) for service in ("reset", "step")
        )
        assert all((tmp_path / "logs" / f"player_{index}.log.out").exists() for index in range(3))


def test_each_environment_has_a_port_of_its_own_when_asked(settings, tmp_path):
    config = settings(ros={"one_port_per_environment": True})
    with Simulation(config, "navigation", tmp_path) as simulation:
        simulation.start(3)
        processes = simulation.processes.values()
        commands = [Path(f"/proc/{process.pid}/cmdline").read_text().split("\0") for process in processes]
        ports = {command[command.index("--ros-port") + 1] for command in commands}
        assert len(ports) == 3


def test_player_that_exits_is_noticed_before_its_deadline_and_its_log_shown(settings, build, tmp_path):
    config = settings(build('sleep 0.2; echo "no licence found" >&2; exit 3'))
    with Simulation(config, "navigation", tmp_path) as simulation:
        began = time.monotonic()
        with pytest.raises(
            PlayerError, match=r"player 0 .* exited with code 3 before it connected(?s:.*)no licence found"
        ):
            simulation.start(2)
        assert time.monotonic() - began < config.unity.connect_timeout / 2


def test_player_that_never_connects_is_given_up_at_the_deadline(settings, build, tmp_path):
    config = settings(build('echo "waiting for godot"; exec sleep 60'), connect_timeout=0.5)
    with (
        Simulation(config, "navigation", tmp_path) as simulation,
        pytest.raises(PlayerError, match=r"within 0\.5 s \(unity\.connect_timeout\)(?s:.*)waiting for godot"),
    ):
        simulation.start(1)


def test_player_that_speaks_another_protocol_is_named(settings, build, tmp_path):
    script = """exec {python} -c '
import socket, sys, time
port = int(sys.argv[sys.argv.index("--ros-port") + 1])
socket.create_connection(("127.0.0.1", port)).sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
time.sleep(60)' "$@" """
    with (
        Simulation(settings(build(script), connect_timeout=1.0), "navigation", tmp_path) as simulation,
        pytest.raises(PlayerError, match=r"turned away: .* the peer does not speak ROS-TCP; it sent b'GET / HTTP"),
    ):
        simulation.start(1)


def test_lost_players_are_replaced_under_the_same_name_and_port(settings, tmp_path, is_running):
    with Simulation(settings(), "navigation", tmp_path) as simulation:
        simulation.start(2)
        old, port = simulation.processes[1].pid, simulation.endpoint.port
        os.kill(old, signal.SIGSTOP)
        simulation.replace({1: ""})
        assert simulation.processes[1].pid != old
        assert not is_running(old)
        assert "/navigation_1/step" in simulation.endpoint.services
        assert simulation.endpoint.port == port
        command = Path(f"/proc/{simulation.processes[1].pid}/cmdline").read_text().split("\0")
        assert command[command.index("--ros-port") + 1] == str(port)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("builds/missing.x86_64", r"unity\.build_path: builds/missing\.x86_64 does not exist"),
        ("/", r"unity\.build_path: / is a directory"),
        (__file__, r"is not executable; run: chmod \+x"),
    ],
)
def test_wrong_build_path_is_one_clear_error(settings, tmp_path, path, message):
    with pytest.raises(InputError, match=message):
        Simulation(settings(path), "navigation", tmp_path)


def test_file_that_is_no_program_is_one_clear_error(settings, tmp_path):
    path = tmp_path / "build"
    path.write_bytes(b"\x7fNOT")
    path.chmod(0o755)
    with (
        Simulation(settings(path), "navigation", tmp_path / "logs") as simulation,
        pytest.raises(PlayerError, match="cannot be executed"),
    ):
        simulation.start(1)


def test_players_started_elsewhere_are_waited_for(settings, build, tmp_path, eventually):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = ["--ros-ip", "127.0.0.1", "--ros-port", str(port), "--environment-id", "0"]
    elsewhere = subprocess.Popen(f"sleep 0.5; exec {build()} {' '.join(arguments)}", shell=True, start_new_session=True)
    try:
        with Simulation(settings(launch=False, ros={"tcp_port": port}), "navigation", tmp_path) as simulation:
            assert simulation.start(1) == [0]
            assert simulation.processes == {}
        elsewhere.wait(5)
    finally:
        elsewhere.kill()


TRAINER = """
import sys, time
from pathlib import Path
from rl_pipeline.config.schema import SimulationConfig
from rl_pipeline.simulation.simulation import Simulation
settings = {"ros": {"tcp_port": 0}, "unity": {"build_path": sys.argv[1]}}
with Simulation(SimulationConfig.model_validate(settings), "navigation", Path(sys.argv[2])) as simulation:
    simulation.start(3)
    print(*[player.pid for player in simulation.processes.values()], flush=True)
    time.sleep(60 if sys.argv[3] == "stay" else 0)
"""


@pytest.mark.parametrize("end", ["success", signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("stubborn", [False, True])
def test_no_player_is_left_however_the_trainer_ends(build, tmp_path, eventually, is_running, end, stubborn):
    script = (
        'trap "" TERM INT; {python} {handmade} "$@" & wait; sleep 60' if stubborn else 'exec {python} {handmade} "$@"'
    )
    arguments = [str(build(script)), str(tmp_path / "logs"), "leave" if end == "success" else "stay"]
    trainer = subprocess.Popen(
        [sys.executable, "-c", TRAINER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    players = [int(pid) for pid in trainer.stdout.readline().split()]
    assert len(players) == 3
    if end != "success":
        assert all(map(is_running, players))
        trainer.send_signal(end)
    trainer.wait(60)
    eventually(lambda: not any(map(is_running, players)), timeout=60.0)


def test_later_players_that_die_while_they_connect_are_replaced(settings, build, tmp_path):
    script = """if [ "$*" != "${*#*environment-id 1}" ] && [ ! -e "$0.died" ]; then touch "$0.died"; kill -9 $$; fi
exec {python} {handmade} "$@" """
    with Simulation(settings(build(script)), "navigation", tmp_path) as simulation:
        assert simulation.start(1) == [0]
        assert simulation.start(1) == [1]
    assert Path(f"{build(script)}.died").exists()


def test_players_that_are_launched_connect_to_any_free_port(settings, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Simulation(settings(ros={"tcp_port": port}), "navigation", tmp_path) as simulation:
            assert simulation.start(1) == [0]
            assert simulation.endpoint.port != port


@pytest.mark.parametrize(
    ("backend", "ros", "unity", "port"),
    [
        ("direct", {}, {}, 0),
        ("direct", {}, {"launch": False}, 12345),
        ("ros2", {}, {}, 0),
        ("ros2", {"launch_endpoint": False}, {}, 12345),
        ("direct", {"one_port_per_environment": True}, {}, 12345),
    ],
)
def test_port_is_fixed_where_others_must_find_it(backend, ros, unity, port):
    config = SimulationConfig.model_validate({"backend": backend, "ros": {"tcp_port": 12345, **ros}, "unity": unity})
    assert config.port == port
