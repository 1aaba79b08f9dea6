import threading

import pytest

from rl_pipeline.transport.client import Client
from rl_pipeline.transport.endpoint import Endpoint


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
def raw_player(endpoint, connect_raw):
    return lambda: connect_raw(endpoint.port)


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
