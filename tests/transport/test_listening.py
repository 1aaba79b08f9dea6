import logging
import socket
import threading

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.simulation.simulation import Simulation
from rl_pipeline.transport.client import Client
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.listening import host_and_port, resolve


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def answers(host, port):
    """Whether an endpoint's handshake comes from there."""
    with socket.create_connection((host, port), timeout=5) as sock:
        return b"__handshake" in sock.recv(100)


@needs_ipv6
def test_players_connect_over_ipv6(settings, tmp_path):
    with Simulation(settings(ros={"tcp_ip": "::1"}), "navigation", tmp_path) as simulation:
        assert simulation.start(1) == [0]
        assert simulation.endpoint.connections[0].peer.startswith("[::1]:")


@needs_ipv6
def test_the_address_that_stands_for_all_admits_both_families(caplog):
    with Endpoint("::", 0) as endpoint:
        endpoint.start()
        assert answers("::1", endpoint.port)
        assert answers("127.0.0.1", endpoint.port)


@pytest.mark.parametrize(("host", "reachable"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.2", "127.0.0.2")])
def test_players_of_this_machine_are_told_an_address_that_they_can_reach(host, reachable):
    assert resolve(host).reachable == reachable


def test_a_host_of_ipv6_alone_is_listened_on_there(monkeypatch):
    six = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: six)
    address = resolve("robot.local")
    assert (address.family, address.host, address.is_loopback) == (socket.AF_INET6, "::1", True)


def test_a_host_name_is_resolved_once(monkeypatch):
    asked = []
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: asked.append(host) or real(host, *a, **k))
    with Endpoint("localhost", None) as endpoint:
        assert endpoint.listen(0) != endpoint.listen(0)
    assert asked == ["localhost"]


def test_a_slow_name_server_is_one_clear_error_at_the_deadline(monkeypatch):
    release, real = threading.Event(), socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [release.wait(10), *real("127.0.0.1", None)][1:])
    try:
        with pytest.raises(InputError, match=r"ros\.tcp_ip: the address of 'robot' was not found out within 0\.05 s"):
            resolve("robot", timeout=0.05)
    finally:
        release.set()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "1.2.3.4.5", "a" * 300, "ros..example"])
def test_a_host_that_is_none_is_one_clear_error(host):
    with pytest.raises(InputError, match=rf"ros\.tcp_ip: '{host}' .*; name an? (numeric )?address"):
        Endpoint(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
def test_a_port_that_is_taken_leaves_its_owner_alone(host):
    with Endpoint(host, 0) as first:
        first.start()
        taken = host_and_port(host, first.port).replace("[", r"\[").replace("]", r"\]")
        with pytest.raises(InputError, match=rf"cannot listen on {taken} .*set ros\.tcp_port=0"):
            Endpoint(host, first.port)
        assert answers(host, first.port)


def test_a_port_that_is_taken_later_is_named_when_its_player_is_to_start(settings, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = settings(ros={"tcp_port": port, "one_port_per_environment": True})
        with (
            Simulation(config, "navigation", tmp_path) as simulation,
            pytest.raises(InputError, match=rf"cannot listen on 127\.0\.0\.1:{port} "),
        ):
            simulation.start(1)


def test_an_address_that_others_can_reach_warns_once_unless_there_is_a_token(caplog):
    with Endpoint("0.0.0.0", None) as endpoint:
        endpoint.listen(0)
        endpoint.listen(0)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "ros.token is not set; set it to a secret, or ros.tcp_ip to 127.0.0.1" in warning
    caplog.clear()
    Endpoint("0.0.0.0", None, token="correct-horse").close()
    Endpoint("127.0.0.1", None).close()
    assert not caplog.records


def test_clients_connect_to_an_ipv6_address_or_a_name():
    with Endpoint("localhost", 0) as endpoint:
        client = Client("localhost", endpoint.port)
        client.poll(0.05)
        assert client.connected
        client.close()
