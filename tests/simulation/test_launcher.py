"""The players that launch_unity_simulation starts outside the trainer."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rl_pipeline.config.schema import RosConfig, SimulationConfig, UnityConfig
from rl_pipeline.errors import InputError
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.simulation.standalone import launcher
from rl_pipeline.simulation.standalone.machine_file import Build, Endpoint, MachineFile, read_machine_file

ROOT = Path(__file__).parents[2]
SCRIPT = "launch_unity_simulation.bash"


@pytest.fixture
def port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def checkout(tmp_path, build):
    """A checkout on a machine where the package is not installed: sources, launch script, config.yml."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copytree(ROOT / "rl_pipeline", folder / "rl_pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (SCRIPT, "config.yml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def with_python(checkout):
    """The same with an environment that has PyYAML."""
    (checkout / ".venv").symlink_to(Path(sys.executable).parents[1])
    return checkout


@pytest.fixture
def machine_file(tmp_path):
    def write(text):
        path = tmp_path / "config.yml"
        path.write_text(text)
        return path

    return write


def start(folder, *arguments):
    return subprocess.Popen(
        ["bash", SCRIPT, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def refused(folder, *arguments, **environment):
    done = subprocess.run(
        [shutil.which("bash"), SCRIPT, *arguments], cwd=folder, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_trainer_meets_the_players_that_the_script_starts(with_python, build, port, settings, tmp_path, is_running):
    config = settings(n_environments=2, ros={"tcp_port": port}, launch=False)
    with Simulation(config, "navigation", tmp_path / "logs") as trainer:
        script = start(
            with_python, f"ros.tcp_port={port}", "n_environments=2", f"unity.build_path={build()}", "unity.launch=false"
        )
        try:
            assert trainer.start(2) == [0, 1]
            assert trainer.processes == {}
            told = [script.stdout.readline() for _ in range(2)]
            assert told[0] == f"2 players started; they connect to 127.0.0.1, port {port}\n"
            running = [int(pid) for pid in children_of(script.pid)]
            assert len(running) == 2
        finally:
            script.send_signal(signal.SIGINT)
            code = script.wait(20)
    assert code == 130
    assert "all players ended" in script.stdout.read()
    assert not any(is_running(pid) for pid in running)


def children_of(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_missing_build_is_named_with_what_is_there(with_python, build):
    assert "build/Arena.exe does not exist" in refused(with_python, "unity.build_path=build/Arena.exe")
    path = build(name="Arena.x86_64")
    message = refused(with_python, f"unity.build_path={path.with_name('Arna.x86_64')}")
    assert "Arna.x86_64 does not exist; executables in" in message
    assert "Arena.x86_64" in message


def test_build_that_fails_at_its_start_is_shown_with_its_log(with_python, build):
    path = build('echo "no such license" >&2; exit 3')
    message = refused(with_python, f"unity.build_path={path}", "unity.launch=false")
    assert "exited with code 3 at its start" in message
    assert "no such license" in message


def test_missing_python_is_said(checkout, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "dirname").symlink_to(shutil.which("dirname"))
    assert "no Python was found" in refused(checkout, PATH=str(tmp_path / "bin"))


@pytest.mark.slow
def test_machine_without_the_package_needs_nothing_but_python(checkout):
    python = Path(sys.base_prefix) / "bin"
    message = refused(checkout, PATH=f"{python}{os.pathsep}{os.environ['PATH']}", PYTHONPATH="")
    assert "the embedded player is a part of the Python package, which is not installed here" in message
    site_packages = next((checkout / ".venv-players" / "lib").glob("python*/site-packages"))
    assert {path.name for path in site_packages.iterdir()} & {"numpy", "pydantic", "mujoco"} == set()


def test_failed_player_is_started_anew_and_a_closed_one_is_not(build, tmp_path, monkeypatch, eventually):
    monkeypatch.setattr(launcher, "SHORT_LIFE", 0.0)
    closes_second_time = build('[ -e "$0.ran" ] && exit 0; touch "$0.ran"; exit 1')
    machine = MachineFile(n_environments=1, unity=Build(build_path=str(closes_second_time)))
    told = []
    with launcher.Players(machine, "navigation", tmp_path / "logs", told.append) as players:
        players.start()
        eventually(lambda: not players.watch(0.01), timeout=10.0)
    assert [line.partition(" (")[0] for line in told[2:]] == [
        "player 0 exited with code 1; restarting it",
        "player 0 was closed",
    ]


def test_players_of_many_worlds_and_many_ports(machine_file):
    path = machine_file(
        "n_environments: 8\nworlds_per_player: 4\nros: {tcp_ip: 0.0.0.0, one_port_per_environment: true}"
    )
    machine = read_machine_file(path, ["ros.tcp_port=10010", "unity.sample_time=0.05"])
    assert machine.players == 2
    assert [machine.ros.port_of(player) for player in range(2)] == [10010, 10011]
    assert machine.ros.reachable == "127.0.0.1"
    assert machine.unity.sample_time == 0.05


def test_defaults_are_those_of_the_configuration(machine_file):
    schema = SimulationConfig()
    machine = read_machine_file(machine_file("{}"))
    assert (machine.n_environments, machine.worlds_per_player) == (schema.n_environments, schema.worlds_per_player)
    assert machine.ros == Endpoint(**{key: getattr(RosConfig(), key) for key in vars(Endpoint())})
    unity = {key: getattr(UnityConfig(), key) for key in vars(Build())}
    assert machine.unity == Build(**{**unity, "arguments": tuple(unity["arguments"])})
    assert read_machine_file(ROOT / "config.yml") == machine


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unity: {time_scale: fast}", "unity.time_scale: expected a number, found 'fast'"),
        ("unity: {pause: 1}", "unity.pause: expected true or false, found 1"),
        ("n_environments: 6\nworlds_per_player: 4", "expected a multiple of worlds_per_player"),
        ("ros: {tcp_port: 0}", "ros.tcp_port: expected the port that the trainer listens on"),
        ("ros: [1]", "ros: expected keys and values"),
        ("ros: {", "no YAML"),
    ],
)
def test_wrong_settings_are_named(machine_file, text, message):
    with pytest.raises(InputError, match=r"config\.yml") as caught:
        read_machine_file(machine_file(text))
    assert message in str(caught.value)


def test_quoted_numbers_are_numbers(machine_file):
    assert read_machine_file(machine_file("ros: {tcp_port: '10003'}")).ros.tcp_port == 10003


def test_batch_file_has_windows_line_ends_and_leads_somewhere():
    content = (ROOT / "launch_unity_simulation.bat").read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") > 20
    attributes = subprocess.run(
        ["git", "check-attr", "eol", "launch_unity_simulation.bat"], cwd=ROOT, capture_output=True, text=True
    )
    assert attributes.stdout.strip().endswith("crlf")
    text = content.decode("ascii").replace("\r\n", "\n")
    targets = set(re.findall(r"\b(?:call|goto) :?(\w+)", text)) - {"eof"}
    assert targets == set(re.findall(r"^:(\w+)$", text, re.MULTILINE))
    assert "-m rl_pipeline.simulation.standalone.launcher %*" in text
