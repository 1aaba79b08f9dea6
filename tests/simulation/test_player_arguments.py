"""Arguments of a build's own: `unity.arguments`."""

import shlex

import pytest

from rl_pipeline.config import load_config
from rl_pipeline.errors import InputError
from rl_pipeline.simulation.player_arguments import GIVEN, player_program
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.simulation.standalone import launcher
from rl_pipeline.simulation.standalone.machine_file import read_machine_file

NOTE = """echo "$@" > "$0.arguments"; exec {python} {handmade} "$@" """


def test_they_come_before_those_of_every_player(settings, build, tmp_path):
    program = build(NOTE)
    config = settings(program, n_environments=1, arguments=["--quality", "very low", "-screen-width", 640])
    with Simulation(config, "navigation", tmp_path / "logs") as simulation:
        simulation.start(1)
    words = shlex.split(program.with_name(program.name + ".arguments").read_text())
    assert words[:6] == ["--quality", "very", "low", "-screen-width", "640", "-batchmode"]


def test_the_launcher_gives_them_too(build, tmp_path):
    config = tmp_path / "config.yml"
    config.write_text(f"unity: {{build_path: {build()}, arguments: [--quality, 2]}}")
    machine = read_machine_file(config)
    assert machine.unity.arguments == ("--quality", "2")
    assert launcher.Players(machine, "navigation", tmp_path, print)._program.command[1:] == ["--quality", "2"]


@pytest.mark.parametrize("argument", GIVEN)
def test_what_a_key_says_is_no_argument(build, argument):
    with pytest.raises(InputError, match=rf"unity.arguments: {argument} is given to every player already; "):
        player_program(str(build()), "navigation", ["--quality", "low", argument, "x"])
    with pytest.raises(InputError, match=f"unity.arguments: {argument}"):
        player_program("embedded", "navigation", [f"{argument}=x"])


@pytest.mark.parametrize("value", ["--quality", "[[a]]", "[true]", "{a: 1}"])
def test_they_are_a_list_of_texts(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)  # a config.yml there would outweigh the file
    path = tmp_path / "mine.yaml"
    path.write_text(f"unity: {{arguments: {value}}}")
    with pytest.raises(InputError, match=r"mine.yaml: unity.arguments: expected a list of strings"):
        load_config(config_file=path)
    with pytest.raises(InputError, match=r"mine.yaml: unity.arguments: expected a list of texts"):
        read_machine_file(path)
