import json
import socket
import threading
import time

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.transport.endpoint import CallError, Endpoint
from rl_pipeline.transport.frames import Frame, decode_command, encode_command, encode_frame

SERVICE = {"topic": "/s", "message_name": "std_srvs/SetBool"}


def test_handshake_is_the_first_frame_and_waits_for_nothing(raw_player):
    frame = raw_player().receive()
    assert frame.destination == "__handshake"
    handshake = json.loads(frame.payload)
    assert handshake["version"].startswith("v0.7.")
    assert json.loads(handshake["metadata"]) == {"protocol": "ROS2"}


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
