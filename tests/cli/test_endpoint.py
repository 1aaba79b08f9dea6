"""`rl-pipeline endpoint` as a program: without ROS, players have each other."""

import io
import re
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from rl_pipeline.cli.endpoint import statistics_table
from rl_pipeline.transport.frames import Frame
from rl_pipeline.transport.traffic import PlayerStatistics, Rates


@pytest.fixture
def endpoint_process(tmp_path):
    words = [sys.executable, "-m", "rl_pipeline.cli", "endpoint", "ros.tcp_port=0"]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_players_reach_each_other_until_the_endpoint_is_told_to_end(endpoint_process, connect_raw, number):
    port = int(re.search(r"listening on 127\.0\.0\.1:(\d+) ", endpoint_process.stderr.readline())[1])
    receiver, sender = connect_raw(port), connect_raw(port)
    receiver.command("__subscribe", topic="/t", message_name="std_msgs/String")
    receiver.command("__topic_list")
    assert [receiver.receive().destination for _ in range(2)] == ["__handshake", "__topic_list"]
    sender.command("__publish", topic="/t", message_name="std_msgs/String", queue_size=1, latch=False)
    sender.frame("/t", b"\0\1\0\0\1\0\0\0\0")
    assert receiver.receive() == Frame("/t", b"\0\1\0\0\1\0\0\0\0")
    endpoint_process.send_signal(number)
    assert endpoint_process.wait(20) == 0
    assert "endpoint closed" in endpoint_process.stderr.read()


def test_table_shows_what_each_player_does():
    busy = PlayerStatistics("127.0.0.1:5", ("/s/step",), 3, Rates(1234.4, 10.0, 5e6, 2e3), 2, 0.25, 17, 4)
    console = Console(width=80, file=io.StringIO())
    console.print(statistics_table([busy]))
    text = console.file.getvalue()
    for shown in ("127.0.0.1:5", "/s ", "1,234", "5,000", "250 ms", "17"):
        assert shown in text
