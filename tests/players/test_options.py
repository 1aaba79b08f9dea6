from pathlib import Path

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.players.options import PlayerOptions, log_file_of, parse_options

CONTRACT = """
-batchmode -nographics -logFile logs/player_3.log --ros-ip 10.0.0.7 --ros-port 10003 --environment-id 3 --seed 17
--pause false --sample-time 0.05 --time-scale 20.0
"""


def test_the_contract_of_all_players_is_understood() -> None:
    assert parse_options(CONTRACT.split()) == PlayerOptions(
        ros_ip="10.0.0.7",
        ros_port=10003,
        environment_id=3,
        seed=17,
        pause=False,
        sample_time=0.05,
        time_scale=20.0,
        batch_mode=True,
        graphics=False,
        log_file=Path("logs/player_3.log"),
    )


def test_everything_has_a_default() -> None:
    assert parse_options([]) == PlayerOptions()


def test_what_is_unknown_is_ignored_as_unity_does() -> None:
    assert parse_options(["-screen-width", "640", "-headless", "--no-such", "7"]) == PlayerOptions()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ros-port", "70000"], "--ros-port: expected a port from 1 to 65535, found '70000'"),
        (["--ros-port", "ten"], "--ros-port: expected a port from 1 to 65535, found 'ten'"),
        (["--seed", "-1"], "--seed: expected a whole number from 0 to 2**32 - 1, found '-1'"),
        (["--pause", "maybe"], "--pause: expected true or false, found 'maybe'"),
        (["--sample-time", "nan"], "--sample-time: expected a number from 0 up, found 'nan'"),
        (["--time-scale", "-1"], "--time-scale: expected a number from 0 up, found '-1'"),
        (["--pause", "false", "--time-scale", "0"], "--time-scale: with --pause false"),
        (["--image-format", "png"], "--image-format: expected rgb8 or jpeg, found 'png'"),
        (["--image-width", "1"], "--image-width: expected a whole number from 16 to 4096, found '1'"),
        (["--seed"], "--seed: expected one argument"),
    ],
)
def test_a_bad_value_is_named_with_what_was_expected(arguments: list[str], message: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_options(arguments)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_log_file_is_found_among_bad_arguments() -> None:
    assert log_file_of(["--ros-port", "ten", "-logFile", "player.log"]) == Path("player.log")
    assert log_file_of(["-logFile", "-"]) is None
