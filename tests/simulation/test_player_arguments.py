"""Command lines of players, and `unity.arguments`."""

import shlex
from dataclasses import replace

import pytest

from rl_pipeline.config import load_config
from rl_pipeline.errors import InputError
from rl_pipeline.interfaces.images import ImageSpec
from rl_pipeline.players.options import parse_options
from rl_pipeline.simulation.player_arguments import RESERVED, PlayerSpec, player_arguments, player_program
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.simulation.standalone import launcher
from rl_pipeline.simulation.standalone.machine_file import read_machine_file

NOTE = """echo "$@" > "$0.arguments"; exec {python} {handmade} "$@" """

PLAYER = PlayerSpec(environment_id=0, host="h", port=1, seed=0)


def test_players_get_the_command_line_of_the_contract(settings, tmp_path):
    unity = settings(headless_mode=True, sample_time=0.1, time_scale=20.0).unity
    arguments = player_arguments(
        unity, PlayerSpec(environment_id=3, host="127.0.0.1", port=10000, seed=7), tmp_path / "log"
    )
    assert arguments == [
        *("-batchmode", "-nographics", "-logFile", str(tmp_path / "log")),
        *("--ros-ip", "127.0.0.1", "--ros-port", "10000", "--environment-id", "3", "--seed", "7"),
        *("--pause", "true", "--sample-time", "0.1", "--time-scale", "20"),
    ]


def test_players_of_one_world_are_not_told_of_worlds(settings):
    assert "--worlds" not in player_arguments(settings().unity, PLAYER, None)
    assert player_arguments(settings().unity, replace(PLAYER, worlds=8), None)[-2:] == ["--worlds", "8"]


def test_players_are_told_of_images_only_when_a_task_observes_them(settings):
    player = replace(PLAYER, frames=True)
    assert "--image-width" not in player_arguments(settings().unity, player, None)
    arguments = player_arguments(settings().unity, replace(player, image=ImageSpec(84, 96)), None)
    assert arguments[-6:] == ["--image-height", "84", "--image-width", "96", "--image-format", "rgb8"]
    assert parse_options(arguments).image == ImageSpec(84, 96)


@pytest.mark.parametrize(
    ("headless", "frames", "flags"),
    [(True, False, ["-batchmode", "-nographics"]), (True, True, ["-batchmode"]), (False, False, []), (False, True, [])],
)
def test_graphics_are_given_up_only_when_no_frames_are_wanted(settings, headless, frames, flags):
    unity = settings(headless_mode=headless).unity
    arguments = player_arguments(unity, replace(PLAYER, frames=frames), None)
    assert [argument for argument in arguments if argument in ("-batchmode", "-nographics")] == flags


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


@pytest.mark.parametrize("argument", RESERVED)
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
