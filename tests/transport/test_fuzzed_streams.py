"""Whatever a peer sends, the endpoint goes on, and players are served as if it had not."""

import contextlib
import re
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.frames import KEEPALIVE, FrameReader, encode_command, encode_frame

FUZZER = Path(__file__).parents[2] / "tools" / "fuzz.py"
NAMES = st.sampled_from(["/t", "/s", "/alive", "/other", "", "\u00fc", "x" * 1025])
COMMANDS = st.sampled_from(
    ["__subscribe", "__publish", "__ros_service", "__unity_service", "__remove_unity_service", "__token", "__nonsense"]
)
PAIRS = st.sampled_from(["__request", "__response"])
TYPES = st.sampled_from(["std_msgs/Int32", "std_srvs/SetBool", "a/b/c", ""])
IDS = st.integers(-1, 3) | st.sampled_from([1_000_000, 1_000_001, 2**31, 2**70, 1.5, True, None, "1"])
FRAMES = st.one_of(
    st.just(KEEPALIVE),
    st.builds(
        lambda command, name, kind: encode_command(command, topic=name, message_name=kind), COMMANDS, NAMES, TYPES
    ),
    st.builds(lambda command, srv_id: encode_command(command, srv_id=srv_id), PAIRS, IDS),
    st.builds(encode_frame, NAMES, st.binary(max_size=40), nul=st.booleans()),
    st.builds(encode_frame, COMMANDS | PAIRS, st.binary(max_size=40)),
    st.binary(min_size=1, max_size=40),
)
CUTS = st.none() | st.integers(0, 40)


class Strangers(RuleBasedStateMachine):
    """Several peers at once send whole frames, parts of frames and noise, and come and go, next to a live player."""

    peers = Bundle("peers")

    def __init__(self):
        super().__init__()
        self.endpoint = Endpoint(port=0)
        self.sockets = []
        self.player = self._connect()
        self.player.sendall(encode_command("__unity_service", topic="/alive", message_name="a/B"))
        assert self.endpoint.wait_until(lambda: "/alive" in self.endpoint.services, 5)
        self.owner = self.endpoint.services["/alive"]
        self.reader = FrameReader()

    def _connect(self):
        self.sockets.append(socket.create_connection(("127.0.0.1", self.endpoint.port), timeout=5))
        return self.sockets[-1]

    @rule(target=peers)
    def come(self):
        return self._connect()

    @rule(peer=peers, frames=st.lists(FRAMES, min_size=1, max_size=4), cut=CUTS)
    def send(self, peer, frames, cut):
        with contextlib.suppress(OSError):
            peer.sendall(b"".join(frames)[:cut])

    @rule(peer=peers, frame=FRAMES)
    def repeat(self, peer, frame):
        with contextlib.suppress(OSError):
            peer.sendall(frame * 3)

    @rule(peer=consumes(peers))
    def go(self, peer):
        peer.close()

    @invariant()
    def the_player_is_served(self):
        assert self.endpoint.services["/alive"] is self.owner
        payloads = []
        self.owner.request("/alive", b"ping", self.endpoint.router.next_srv_id(), payloads.append)
        self.endpoint.wait_until(lambda: self._answered() or bool(payloads), 5)
        assert payloads == [b"pong"]

    def _answered(self):
        """Answer, as the live player, what it was asked."""
        if select.select([self.player], [], [], 0)[0]:
            for frame in self.reader.feed(self.player.recv(65536)):
                if frame.destination == "__request":
                    self.header = frame.payload
                elif frame.destination == "/alive":
                    self.player.sendall(encode_frame("__response", self.header) + encode_frame("/alive", b"pong"))
        return False

    def teardown(self):
        for sock in self.sockets:
            sock.close()
        assert self.endpoint.wait_until(lambda: not self.endpoint.connections, 5)
        assert not self.endpoint.services
        self.endpoint.close()


TestStrangers = Strangers.TestCase
TestStrangers.settings = settings(max_examples=60, stateful_step_count=20, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
def test_thousands_of_broken_conversations_change_nothing():
    command = [sys.executable, str(FUZZER), "--streams", "6000", "--seed", "1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.match(r"6,\d+ streams, ", result.stdout)
