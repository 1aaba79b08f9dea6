import json
import socket
import threading
import time
import tracemalloc

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.transport.endpoint import CallError, Endpoint
from rl_pipeline.transport.frames import KEEPALIVE, Frame, decode_command, encode_command, encode_frame

SERVICE = {"topic": "/s", "message_name": "std_srvs/SetBool"}


def test_handshake_is_the_first_frame_and_waits_for_nothing(raw_player):
    frame = raw_player().receive()
    assert frame.destination == "__handshake"
    handshake = json.loads(frame.payload)
    assert handshake["version"].startswith("v0.7.")
    assert json.loads(handshake["metadata"]) == {"protocol": "ROS2"}


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


def test_an_answer_behind_another_waits_for_no_delayed_acknowledgement(endpoint, raw_player, eventually):
    """A connector has Nagle's algorithm on: what it writes next stays until what it wrote before is acknowledged."""
    player, delay, pairs = raw_player(), 0.04, 25
    player.command("__unity_service", **SERVICE)
    eventually(lambda: "/s" in endpoint.services)
    connection = endpoint.services["/s"]
    connection.become_player()
    took = []
    for _ in range(pairs):
        began = time.monotonic()
        answers = []
        ids = [endpoint.router.next_srv_id() for _ in range(2)]
        for srv_id in ids:
            connection.request("/s", b"asked", srv_id, answers.append)
            while player.receive().destination != "/s":
                pass
        for number, srv_id in enumerate(ids, 1):
            player.send(encode_command("__response", srv_id=srv_id) + encode_frame("/s", b"answered"))
            assert endpoint.wait_until(lambda answers=answers, number=number: len(answers) == number, 5)
        took.append(time.monotonic() - began)
    # Those that a busy machine takes long for do not count.
    assert sorted(took)[pairs // 4] < delay


def test_unity_service_is_called_and_answers(endpoint, client):
    client([("/s", "std_srvs/SetBool", lambda request: bytes(request) + b"!")])
    assert endpoint.wait_until(lambda: "/s" in endpoint.services, 5)
    assert endpoint.call("/s", b"hello", timeout=5) == b"hello!"


def test_request_header_and_payload_are_adjacent(endpoint, raw_player):
    player = raw_player()
    player.command("__unity_service", **SERVICE)
    endpoint.wait_until(lambda: "/s" in endpoint.services, 5)
    endpoint.router.publish("/s", "std_msgs/Empty", b"")
    caller = threading.Thread(target=lambda: endpoint.call("/s", b"abc", timeout=5))
    caller.start()
    frames = [player.receive() for _ in range(3)]
    assert [frame.destination for frame in frames] == ["__handshake", "__request", "/s"]
    assert frames[2].payload == b"abc"
    player.command("__response", srv_id=decode_command(frames[1])["srv_id"])
    player.frame("/anything", b"ok")
    caller.join(5)
    assert not caller.is_alive()


def test_call_fails_when_nobody_offers_the_service(endpoint):
    with pytest.raises(CallError, match="no connected player offers /s"):
        endpoint.call("/s", b"", timeout=1)


def test_call_fails_at_its_deadline(endpoint, raw_player):
    raw_player().command("__unity_service", **SERVICE)
    endpoint.wait_until(lambda: "/s" in endpoint.services, 5)
    with pytest.raises(CallError, match=r"/s did not answer within 0\.05 s"):
        endpoint.call("/s", b"", timeout=0.05)


@pytest.mark.parametrize("reset", [False, True])
def test_call_fails_at_once_when_the_player_is_lost(endpoint, raw_player, eventually, reset):
    player = raw_player()
    player.command("__unity_service", **SERVICE)
    endpoint.wait_until(lambda: "/s" in endpoint.services, 5)
    errors = []

    def call():
        with pytest.raises(CallError) as error:
            endpoint.call("/s", b"", timeout=60)
        errors.append(str(error.value))

    caller = threading.Thread(target=call)
    caller.start()
    eventually(lambda: endpoint.connections[0].calls)
    player.close(reset)
    caller.join(5)
    assert errors == ["/s: the player was lost before it answered"]


def test_late_and_unknown_responses_harm_nobody(endpoint, raw_player):
    player = raw_player()
    player.command("__unity_service", **SERVICE)
    player.command("__response", srv_id=424242)
    player.frame("/s", b"late")
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


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (encode_command("__shutdown"), "unknown command '__shutdown'"),
        (encode_frame("__subscribe", b"{nonsense"), "malformed command: __subscribe: not JSON"),
        (encode_frame("__subscribe", b"[]"), "expected a JSON object"),
        (encode_command("__subscribe", topic="/t"), "missing 'message_name'"),
        (encode_command("__subscribe", topic=3, message_name="a/B"), "topic: expected a string"),
        (encode_command("__unity_service", topic="/s", message_name="pkg/srv/Type"), "package/Type"),
        (encode_command("__unity_service", topic="", message_name="pkg/Type"), "package/Type"),
        (encode_frame("/unregistered", b"123"), "not registered to publish topic '/unregistered'"),
        (encode_command("__response", srv_id="x") + encode_frame("/s", b""), "malformed command"),
    ],
)
def test_malformed_command_costs_one_error_and_not_the_connection(raw_player, caplog, data, said):
    player = raw_player()
    player.receive()
    player.send(data)
    error = player.receive()
    assert error.destination == "__error"
    assert said in decode_command(error)["text"]
    player.command("__topic_list")
    assert player.receive().destination == "__topic_list"
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


def test_malformed_frame_costs_its_own_connection_and_no_other(endpoint, raw_player, client, caplog):
    client([("/s", "std_srvs/SetBool", bytes)])
    endpoint.wait_until(lambda: "/s" in endpoint.services, 5)
    bad = raw_player()
    bad.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert bad.closed()
    assert endpoint.call("/s", b"still here", timeout=5) == b"still here"
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
    assert "does not speak ROS-TCP" in endpoint.rejections[0]


def test_slow_subscriber_is_skipped_and_catches_up(endpoint, raw_player, eventually):
    player = raw_player()
    player.command("__subscribe", topic="/t", message_name="std_msgs/String")
    eventually(lambda: endpoint.connections and endpoint.connections[0].subscribers)
    payload = bytes(2**20)
    for _ in range(60):
        endpoint.router.publish("/t", "std_msgs/String", payload)
    connection = endpoint.connections[0]
    assert 0 < connection.traffic.dropped < 60
    for _ in range(60 - connection.traffic.dropped + 1):
        player.receive()
    endpoint.router.publish("/t", "std_msgs/String", b"news")
    assert player.receive() == Frame("/t", b"news")


def test_port_in_use_is_one_clear_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"ros\.tcp_port: cannot listen on 127\.0\.0\.1:{port}.*ros\.tcp_port=0"):
            Endpoint(port=port)


def test_endpoint_listens_on_loopback_by_default():
    with Endpoint(port=0) as endpoint:
        assert endpoint.host == "127.0.0.1"


def test_address_of_another_machine_is_one_clear_error():
    with pytest.raises(InputError, match=r"cannot listen on 192\.0\.2\.1:0 .*name an address of this machine"):
        Endpoint("192.0.2.1", 0)


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
