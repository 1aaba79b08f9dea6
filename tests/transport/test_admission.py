"""Connections of peers that are no players: what they may take, and that players do not notice them."""

import errno
import logging
import os
import resource
import socket
import time

import pytest

from rl_pipeline.transport.allowance import Limits
from rl_pipeline.transport.endpoint import Endpoint
from rl_pipeline.transport.frames import KEEPALIVE, decode_command, encode_command, encode_frame

SERVICE = {"topic": "/s", "message_name": "std_srvs/SetBool"}
TCP_REPAIR = 19


@pytest.fixture
def endpoint(request):
    with Endpoint(port=0, limits=getattr(request, "param", None)) as endpoint:
        endpoint.start()
        yield endpoint


def limits(**values):
    return pytest.mark.parametrize("endpoint", [Limits(**values)], indirect=True)


def errors(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def is_cut_off(player, pieces):
    """Whether the endpoint closes the connection while these pieces are sent."""
    try:
        for piece in pieces:
            player.send(piece)
    except ConnectionError:
        return True
    return player.closed()


def still_answers(endpoint):
    return endpoint.call("/s", b"ping", timeout=5) == b"ping"


@pytest.fixture
def player(endpoint, client):
    """A live player whose service echoes."""
    client([("/s", "std_srvs/SetBool", bytes)])
    assert endpoint.wait_until(lambda: "/s" in endpoint.services, 5)
    return endpoint.services["/s"]


def test_a_service_of_a_live_player_is_refused_to_others_and_logged_once(endpoint, player, raw_player, caplog):
    for _ in range(3):
        stranger = raw_player()
        stranger.command("__unity_service", **SERVICE)
        frames = []
        while (frame := stranger.receive()) is not None:
            frames.append(frame)
        assert "'/s' is offered by another player" in decode_command(frames[-1])["text"]
        assert endpoint.services["/s"] is player
    assert still_answers(endpoint)
    assert len([message for message in errors(caplog) if "owns it: refused" in message]) == 1


def test_a_service_can_be_offered_again_once_its_owner_is_gone(endpoint, raw_player, eventually):
    first, second = raw_player(), raw_player()
    first.command("__unity_service", **SERVICE)
    eventually(lambda: "/s" in endpoint.services)
    owner = endpoint.services["/s"]
    first.close()
    eventually(lambda: not owner.open)
    second.command("__unity_service", **SERVICE)
    eventually(lambda: endpoint.services.get("/s") not in (None, owner))


def test_the_owner_of_a_service_may_change_its_type(endpoint, raw_player, eventually):
    player = raw_player()
    player.command("__unity_service", **SERVICE)
    player.command("__unity_service", topic="/s", message_name="std_srvs/Trigger")
    eventually(lambda: "/s" in endpoint.services and endpoint.services["/s"].services == {"/s": "std_srvs/Trigger"})


@pytest.mark.slow
def test_a_player_whose_old_connection_is_dead_gets_its_service_back(endpoint, raw_player, client, eventually):
    vanished = raw_player()
    vanished.command("__unity_service", **SERVICE)
    eventually(lambda: "/s" in endpoint.services)
    old = endpoint.services["/s"]
    try:  # closes without a word to the other end, as a machine does whose power fails
        vanished.socket.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except OSError:
        pytest.skip("needs CAP_NET_ADMIN")
    vanished.close()
    client([("/s", "std_srvs/SetBool", bytes)])
    eventually(lambda: endpoint.services.get("/s") not in (None, old), timeout=15.0)
    assert still_answers(endpoint)


@limits(memory=4 * 2**20, stranger_payload=2**20)
def test_payloads_that_are_announced_and_trickled_are_bounded_together(endpoint, player, raw_player):
    announcement = encode_frame("/t", b"").replace(b"\0\0\0\0", (2**20).to_bytes(4, "little"))
    strangers = [raw_player() for _ in range(20)]
    for _ in range(8):
        for stranger in strangers:
            try:
                stranger.send(announcement + bytes(100_000))
            except ConnectionError:
                continue
        assert still_answers(endpoint)
    assert endpoint.wait_until(lambda: len(endpoint.connections) <= 1 + 4 * 2**20 // 100_000, 5)


@pytest.mark.slow
@limits(silence=0.2)
def test_a_silent_connection_that_registered_nothing_is_closed_and_others_stay(endpoint, raw_player, eventually):
    silent, registered, talking = raw_player(), raw_player(), raw_player()
    registered.command("__subscribe", topic="/t", message_name="std_msgs/Int32")
    eventually(lambda: len(endpoint.connections) == 3 and any(c.subscribers for c in endpoint.connections))
    deadline = time.monotonic() + 5
    while len(endpoint.connections) > 2 and time.monotonic() < deadline:
        talking.send(KEEPALIVE)
        endpoint.poll(0.02)
    assert silent.closed()
    assert len(endpoint.connections) == 2


@limits(connections=8)
def test_beyond_the_limit_the_oldest_that_offers_nothing_makes_room(endpoint, player, raw_player, caplog, eventually):
    strangers = [raw_player() for _ in range(20)]
    eventually(lambda: len([message for message in errors(caplog) if "made room for another" in message]) == 13)
    assert all(stranger.closed() for stranger in strangers[:13])
    assert len(endpoint.connections) == 8
    assert still_answers(endpoint)


@limits(connections=2)
def test_when_all_connections_offer_something_a_new_one_is_turned_away(endpoint, player, raw_player, caplog):
    other, late = raw_player(), None
    other.command("__unity_service", topic="/other", message_name="std_srvs/SetBool")
    assert endpoint.wait_until(lambda: "/other" in endpoint.services, 5)
    late = raw_player()
    assert late.closed()
    assert any("2 connections are open; closed" in message for message in errors(caplog))
    assert still_answers(endpoint)


@pytest.mark.slow
def test_no_descriptor_left_pauses_accepting_and_neither_spins_nor_ends_it(endpoint, player, raw_player, caplog):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    waiting = socket.socket()
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        waiting.connect(("127.0.0.1", endpoint.port))
        endpoint.wait_until(lambda: any(os.strerror(errno.EMFILE) in message for message in errors(caplog)), 5)
        began, spent = time.monotonic(), time.process_time()
        while time.monotonic() - began < 1.5:
            assert still_answers(endpoint)
            endpoint.poll(0.1)
        assert time.process_time() - spent < 0.75
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with waiting:
        waiting.settimeout(5)
        assert b"__handshake" in waiting.recv(100)
    assert len(errors(caplog)) == 1


@pytest.mark.slow
@limits(memory=2**20)
def test_a_peer_that_never_reads_cannot_make_answers_pile_up(endpoint, player, raw_player, eventually):
    deaf = raw_player()
    question = encode_command("__topic_list") * 1000
    assert is_cut_off(deaf, (question for _ in range(5000)))
    eventually(lambda: len(endpoint.connections) == 1)
    assert still_answers(endpoint)


@limits(memory=2**20)
def test_registrations_and_latched_messages_count(endpoint, player, raw_player):
    hoarder = raw_player()
    hoarder.command("__publish", topic="/map", message_name="nav_msgs/OccupancyGrid", latch=True)
    hoarder.frame("/map", bytes(300_000))
    hoarder.command("__remove_publisher", topic="/map")
    hoarder.command("__publish", topic="/map", message_name="nav_msgs/OccupancyGrid", latch=True)
    hoarder.frame("/map", bytes(300_000))
    hoarder.command("__topic_list")
    assert [hoarder.receive().destination for _ in range(2)] == ["__handshake", "__topic_list"]
    names = (f"/service_{index}" for index in range(10_000))
    assert is_cut_off(hoarder, (encode_command("__ros_service", topic=name, message_name="a/B") for name in names))
    assert still_answers(endpoint)


def test_endless_errors_end_the_connection_and_do_not_fill_the_log(endpoint, player, raw_player, caplog):
    for _ in range(3):
        babbler = raw_player()
        babbler.send(encode_command("__nonsense") * 1000)
        assert babbler.closed()
    assert len(errors(caplog)) < 100
    assert still_answers(endpoint)


@limits(requests=5)
def test_calls_that_another_player_never_answers_do_not_pile_up(endpoint, raw_player, eventually):
    server, caller = raw_player(), raw_player()
    server.command("__unity_service", **SERVICE)
    eventually(lambda: "/s" in endpoint.services)
    caller.receive()
    for srv_id in range(8):
        caller.command("__request", srv_id=srv_id)
        caller.frame("/s", b"x")
    refused = [decode_command(caller.receive()), *(caller.receive() for _ in range(2))]
    assert "'/s' failed" in refused[0]["text"]
    eventually(lambda: len(endpoint.services["/s"].calls) == 5)


def test_a_stranger_that_breaks_its_stream_keeps_nobody_from_being_served(endpoint, player, raw_player):
    for frames in (
        encode_command("__response", srv_id=1_000_000) + encode_command("__topic_list"),
        encode_command("__request", srv_id=5) * 2,
        encode_command("__response", srv_id=2**31) + encode_frame("/s", b"x"),
        encode_frame("__request", b'{"srv_id":Infinity}') + encode_frame("/s", b"x"),
        encode_frame("__request", b'{"srv_id":1e400}') + encode_frame("/s", b"x"),
        encode_frame("__request", b'{"srv_id":true}') + encode_frame("/s", b"x"),
        encode_command("__unity_service", topic="\ud800", message_name="a/B"),
        encode_command("__unity_service", topic="x\ny", message_name="a/B"),
        encode_command("__unity_service", topic="x" * 5000, message_name="a/B"),
    ):
        stranger = raw_player()
        stranger.send(frames + encode_command("__topic_list"))
        while (frame := stranger.receive()) is not None and frame.destination != "__topic_list":
            pass
        assert frame is not None
        assert still_answers(endpoint)
    assert list(endpoint.services) == ["/s"]


def test_events_of_a_closed_connection_are_not_taken_for_those_of_the_next(endpoint, raw_player, eventually):
    first = raw_player()
    eventually(lambda: endpoint.connections)
    connection = endpoint.connections[0]
    with endpoint.lock:
        connection.serve_poller(1)
    assert connection.open
    first.command("__topic_list")
    assert [first.receive().destination for _ in range(2)] == ["__handshake", "__topic_list"]
