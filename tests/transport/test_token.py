"""With `ros.token`, whoever does not know it is nobody."""

import json
import logging
import re
from pathlib import Path

import pytest

from rl_pipeline.config import load_config, render_config, without_secrets
from rl_pipeline.errors import InputError
from rl_pipeline.simulation.simulation import PlayerError, Simulation
from rl_pipeline.transport.allowance import Limits
from rl_pipeline.transport.client import Client
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.frames import KEEPALIVE, encode_command, encode_frame

TOKEN = "correct-horse-battery"
REGISTRATION = encode_command("__unity_service", nul=True, topic="/s", message_name="std_srvs/SetBool")


@pytest.fixture
def endpoint():
    with Endpoint(port=0, token=TOKEN, limits=Limits(token_wait=0.2)) as endpoint:
        endpoint.start()
        yield endpoint


@pytest.mark.parametrize("nul", [True, False])
def test_a_connection_that_sends_the_token_first_is_served(endpoint, raw_player, eventually, nul):
    player = raw_player()
    player.send(KEEPALIVE + encode_command("__token", nul=nul, token=TOKEN) + REGISTRATION)
    eventually(lambda: "/s" in endpoint.services)


@pytest.mark.parametrize(
    "first",
    [
        REGISTRATION,
        encode_command("__token", token=TOKEN[:-1]),
        encode_command("__token", token=TOKEN.upper()),
        encode_command("__token", token="\ud800"),
        encode_command("__token", token=None),
        encode_command("__token"),
        encode_command("__request", srv_id=1) + encode_command("__token", token=TOKEN),
        encode_frame("__token", b"nonsense"),
        encode_frame("__token", bytes(2000)),
        encode_frame("/topic", b""),
    ],
)
def test_any_other_first_frame_ends_the_connection(endpoint, raw_player, caplog, first):
    player = raw_player()
    player.send(first + REGISTRATION)
    assert player.closed()
    assert not endpoint.services
    assert len(endpoint.rejections) == 1
    assert TOKEN not in caplog.text


def test_a_connection_that_sends_nothing_is_closed(endpoint, raw_player):
    player = raw_player()
    player.send(KEEPALIVE)
    assert player.closed()


def test_a_token_that_nobody_asks_for_is_no_error(raw_player, caplog):
    with Endpoint(port=0) as endpoint:
        client = Client("127.0.0.1", endpoint.port, TOKEN)
        client.serve("/s", "std_srvs/SetBool", bytes)
        client.poll(0.05)
        assert endpoint.wait_until(lambda: "/s" in endpoint.services, 5)
        client.close()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_embedded_players_know_the_token_and_neither_command_lines_nor_logs_do(settings, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    config = settings("embedded", ros={"token": TOKEN}, pause=True)
    with Simulation(config, "navigation", tmp_path) as simulation:
        simulation.start(1)
        (player,) = simulation.processes.values()
        assert TOKEN not in Path(f"/proc/{player.pid}/cmdline").read_text()
    assert TOKEN not in caplog.text
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN in path.read_text()]


def test_a_player_that_knows_no_token_is_named_in_the_error(settings, tmp_path):
    config = settings(ros={"token": TOKEN}, connect_timeout=5.0)
    with (
        Simulation(config, "navigation", tmp_path) as simulation,
        pytest.raises(PlayerError) as error,
    ):
        simulation.start(1)
    assert TOKEN not in str(error.value)
    assert "sent no token (ros.token is set: start players with --ros-token)" in str(simulation.endpoint.rejections)


def test_command_lines_without_a_token_are_as_before(settings, build, tmp_path):
    script = 'echo "$@" >&2; exec {python} {handmade} "$@"'
    with Simulation(settings(build(script)), "navigation", tmp_path) as simulation:
        simulation.start(1)
    assert "--ros-token" not in (tmp_path / "player_0.log.out").read_text()


@pytest.mark.parametrize("spelled", ["ros.token", "simulation.ros.token"])
def test_the_token_is_left_out_of_what_is_kept(spelled):
    overrides = [f"{spelled}={TOKEN}", "training.seed=3"]
    config = load_config(overrides=overrides)
    assert config.simulation.ros.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(config)
    assert TOKEN not in json.dumps(config.model_dump(mode="json"))
    assert re.search(r"^ +token: null$", render_config(config), re.MULTILINE)
    assert without_secrets(overrides, config) == [f"{spelled}=***", "training.seed=3"]


@pytest.mark.parametrize("token", ["short", "-starts-with-a-dash", "'has a space in it'", "[hunter22]"])
def test_a_token_that_cannot_stand_on_a_command_line_is_refused_without_showing_it(token):
    with pytest.raises(InputError, match=r"ros\.token: expected 8 to 256 letters") as error:
        load_config(overrides=[f"ros.token={token}"])
    assert token.strip("'[]") not in str(error.value)


def test_a_token_of_digits_is_a_text():
    token = load_config(overrides=["ros.token=12345678"]).simulation.ros.token
    assert token.get_secret_value() == "12345678"


def test_a_token_can_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("RL_PIPELINE_TOKEN", TOKEN)
    token = load_config(overrides=["ros.token='${oc.env:RL_PIPELINE_TOKEN}'"]).simulation.ros.token
    assert token.get_secret_value() == TOKEN
