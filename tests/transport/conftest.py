import socket
import struct
import threading

import pytest

from rl_pipeline.transport.client import Client
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.frames import FrameReader, encode_command, encode_frame


class RawPlayer:
    """A peer that writes the protocol by hand, so that a test can say exactly which bytes arrive."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.reader = FrameReader()
        self.waiting = []

    def send(self, data):
        self.socket.sendall(data)

    def command(self, name, **fields):
        self.send(encode_command(name, nul=True, **fields))

    def frame(self, destination, payload):
        self.send(encode_frame(destination, payload, nul=True))

    def receive(self):
        """The next frame, or None when the endpoint closed the connection."""
        while not self.waiting:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.waiting += self.reader.feed(data)
        return self.waiting.pop(0)

    def closed(self):
        try:
            while self.receive() is not None:
                pass
        except ConnectionError:
            pass
        return True

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class ThreadedClient:
    """The package's own client, polled by a thread as a player's main loop would."""

    def __init__(self, port):
        self.client = Client("127.0.0.1", port)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def _run(self):
        while not self._stop.is_set():
            self.client.poll(0.05)
        self.client.close()

    def close(self):
        self._stop.set()
        self._thread.join(5)


@pytest.fixture
def endpoint():
    with Endpoint(port=0) as endpoint:
        endpoint.start()
        yield endpoint


@pytest.fixture
def raw_player(endpoint):
    players = []

    def connect():
        players.append(RawPlayer(endpoint.port))
        return players[-1]

    yield connect
    for player in players:
        player.close()


@pytest.fixture
def client(endpoint):
    clients = []

    def start(services=()):
        clients.append(ThreadedClient(endpoint.port))
        for name, type_name, handler in services:
            clients[-1].client.serve(name, type_name, handler)
        return clients[-1].start()

    yield start
    for one in clients:
        one.close()
