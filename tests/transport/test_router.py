"""Topics, services and registrations of players."""

import tracemalloc

import pytest

from rl_pipeline.transport.frames import KEEPALIVE, Frame, decode_command

SERVICE = {"topic": "/s", "message_name": "std_srvs/SetBool"}


def test_service_registrations_are_idempotent_and_withdrawn_with_the_connection(endpoint, raw_player, eventually):
    player = raw_player()
    player.send(KEEPALIVE)
    for _ in range(3):
        player.command("__unity_service", **SERVICE)
    eventually(lambda: "/s" in endpoint.services)
    assert endpoint.services["/s"].services == {"/s": "std_srvs/SetBool"}
    player.close()
    eventually(lambda: "/s" not in endpoint.services)
    assert not endpoint.connections


@pytest.mark.parametrize(
    ("register", "remove", "table"),
    [
        ("__subscribe", "__remove_subscriber", "subscribers"),
        ("__publish", "__remove_publisher", "publishers"),
        ("__ros_service", "__remove_ros_service", "ros_services"),
        ("__unity_service", "__remove_unity_service", "services"),
    ],
)
def test_every_registration_can_be_removed(endpoint, raw_player, eventually, register, remove, table):
    player = raw_player()
    player.command(register, topic="/t", message_name="std_msgs/Int32")
    eventually(lambda: endpoint.connections and getattr(endpoint.connections[0], table) == {"/t": "std_msgs/Int32"})
    player.command(remove, topic="/t")
    eventually(lambda: getattr(endpoint.connections[0], table) == {})
    player.command(remove, topic="/never-registered")
    player.command("__topic_list")
    assert [player.receive().destination for _ in range(2)] == ["__handshake", "__topic_list"]


def test_messages_are_routed_to_subscribers_and_to_this_process(endpoint, raw_player, eventually):
    publisher, subscriber, received = raw_player(), raw_player(), []
    endpoint.router.subscribe("/t", "std_msgs/Int32", received.append)
    subscriber.command("__subscribe", topic="/t", message_name="std_msgs/Int32")
    publisher.command("__publish", topic="/t", message_name="std_msgs/Int32", queue_size=10, latch=False)
    eventually(lambda: any(connection.subscribers for connection in endpoint.connections))
    publisher.frame("/t", b"\0\1\0\0\5\0\0\0")
    assert subscriber.receive().destination == "__handshake"
    assert subscriber.receive() == Frame("/t", b"\0\1\0\0\5\0\0\0")
    eventually(lambda: received == [b"\0\1\0\0\5\0\0\0"])


def test_empty_message_reaches_this_process_with_the_byte_that_ros_wants(endpoint, raw_player, eventually):
    received = []
    endpoint.router.subscribe("/t", "std_msgs/Empty", received.append)
    player = raw_player()
    player.command("__publish", topic="/t", message_name="std_msgs/Empty", queue_size=1, latch=False)
    player.frame("/t", b"\0\1\0\0")
    eventually(lambda: received == [b"\0\1\0\0\0"])


def test_latched_messages_reach_later_subscribers(endpoint, raw_player):
    publisher = raw_player()
    publisher.command("__publish", topic="/map", message_name="std_msgs/String", queue_size=1, latch=True)
    publisher.frame("/map", b"kept")
    publisher.command("__topic_list")
    assert [publisher.receive().destination for _ in range(2)] == ["__handshake", "__topic_list"]
    subscriber = raw_player()
    subscriber.command("__subscribe", topic="/map", message_name="std_msgs/String")
    assert subscriber.receive().destination == "__handshake"
    assert subscriber.receive() == Frame("/map", b"kept")


def test_topic_list_has_parallel_names_and_types(endpoint, raw_player):
    player = raw_player()
    player.command("__topic_list")
    player.command("__subscribe", topic="/t", message_name="std_msgs/Int32")
    player.command("__topic_list")
    lists = [decode_command(player.receive()) for _ in range(3)][1:]
    nothing = {"services": [], "service_types": []}
    assert lists == [
        {"topics": [], "types": [], **nothing},
        {"topics": ["/t"], "types": ["std_msgs/Int32"], **nothing},
    ]


def test_ros_service_served_here_answers_the_player(endpoint, raw_player):
    endpoint.router.serve("/double", lambda payload: payload * 2)
    player = raw_player()
    player.command("__ros_service", topic="/double", message_name="std_srvs/SetBool")
    player.command("__request", srv_id=101)
    player.frame("/double", b"\0\1\0\0\1")
    frames = [player.receive() for _ in range(3)]
    assert decode_command(frames[1]) == {"srv_id": 101}
    assert frames[2] == Frame("/double", b"\0\1\0\0\1" * 2)


def test_ros_service_offered_by_another_player_is_forwarded(endpoint, raw_player, client):
    client([("/other", "std_srvs/SetBool", lambda request: b"from the other")])
    endpoint.wait_until(lambda: "/other" in endpoint.services, 5)
    player = raw_player()
    player.command("__request", srv_id=101)
    player.frame("/other", b"x")
    assert [player.receive() for _ in range(3)][2] == Frame("/other", b"from the other")


def test_ros_service_that_nobody_serves_gets_an_error_reply_and_no_hang(endpoint, raw_player):
    def broken(payload):
        raise RuntimeError("a handler's bug")

    endpoint.router.serve("/broken", broken)
    player = raw_player()
    player.receive()
    for srv_id, name in ((101, "/nobody"), (102, "/broken")):
        player.command("__request", srv_id=srv_id)
        player.frame(name, b"\0\1\0\0\1")
        error, header, body = (player.receive() for _ in range(3))
        assert (error.destination, header.destination) == ("__error", "__response")
        assert name in decode_command(error)["text"]
        assert decode_command(header) == {"srv_id": srv_id}
        assert body == Frame(name, b"")


def test_ids_of_requests_begin_anew_and_are_not_remembered(endpoint, monkeypatch):
    monkeypatch.setattr("rl_pipeline.transport.router._LAST_SRV_ID", 1_049_999)
    tracemalloc.start()
    try:
        ids = {endpoint.router.next_srv_id() for _ in range(50_000)}
        assert len(ids) == 50_000
        assert endpoint.router.next_srv_id() in ids
        del ids
        # To remember them would take megabytes; other threads hold some kilobytes.
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
