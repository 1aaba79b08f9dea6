"""The protocol as a pure state machine: bytes in, events out, however the stream was cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_pipeline.transport.frames import KEEPALIVE, MAX_PAYLOAD, FrameError, encode_command, encode_frame
from rl_pipeline.transport.protocol import (
    Malformed,
    Published,
    Registered,
    Registration,
    Response,
    RosRequest,
    ServerProtocol,
    Token,
    TopicsRequested,
    Unregistered,
)

CONVERSATION = [
    (KEEPALIVE, []),
    (
        encode_command("__unity_service", nul=True, topic="/s", message_name="std_srvs/SetBool"),
        [Registered("__unity_service", Registration("services", "/s", "std_srvs/SetBool"))],
    ),
    (
        encode_command("__publish", topic="/t", message_name="std_msgs/Int32", queue_size=3, latch=True),
        [Registered("__publish", Registration("publishers", "/t", "std_msgs/Int32", latch=True, queue_size=3))],
    ),
    (encode_command("__remove_subscriber", topic="/t"), [Unregistered("subscribers", "/t")]),
    (encode_frame("/t", b"message", nul=True), [Published("/t", b"message")]),
    (encode_command("__request", srv_id=5) + encode_frame("/ros", b"ask"), [RosRequest(5, "/ros", b"ask")]),
    (encode_command("__response", srv_id=7) + encode_frame("/s", b"answer"), [Response(7, "/s", b"answer")]),
    (encode_command("__topic_list"), [TopicsRequested()]),
    (encode_command("__token", token="unasked"), []),
]


@given(st.lists(st.integers(0, 500), max_size=8))
def test_events_do_not_depend_on_how_the_stream_was_cut(cuts):
    stream = b"".join(data for data, _ in CONVERSATION)
    protocol = ServerProtocol()
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    events = [event for start, end in itertools.pairwise(bounds) for event in protocol.receive(stream[start:end])]
    assert events == [event for _, events in CONVERSATION for event in events]
    assert not protocol.reader
    assert protocol.announced is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (encode_command("__nonsense"), "unknown command '__nonsense'"),
        (encode_frame("__subscribe", b"{"), "malformed command: __subscribe: not JSON"),
        (encode_command("__subscribe", topic="/t"), "malformed command: __subscribe: missing 'message_name'"),
        (encode_command("__subscribe", topic=1, message_name="a/B"), "malformed command: topic: expected a string"),
        (encode_command("__subscribe", topic="/t", message_name="B"), "expected a name and a type as package/Type"),
        (encode_command("__request", srv_id=-1), "srv_id: expected a whole number from 0 to"),
    ],
)
def test_a_command_that_cannot_be_understood_is_one_event_and_frames_behind_it_are_read(data, text):
    protocol = ServerProtocol()
    (event,) = protocol.receive(data)
    assert isinstance(event, Malformed)
    assert text in event.text
    if b"__request" in data:
        assert list(protocol.receive(encode_frame("/s", b"payload of the request"))) == []
    assert list(protocol.receive(encode_frame("/t", b"next"))) == [Published("/t", b"next")]


def test_the_frame_behind_an_announcement_is_its_payload_even_if_it_looks_like_a_command():
    protocol = ServerProtocol()
    data = encode_command("__response", srv_id=1) + encode_frame("__topic_list", b"{}")
    assert list(protocol.receive(data)) == [Response(1, "__topic_list", b"{}")]


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (encode_command("__token", token="secret"), Token(sent=True, value="secret")),
        (encode_command("__token", token=5), Token(sent=True)),
        (encode_frame("__token", b"nonsense"), Token(sent=True)),
        (encode_frame("/t", b""), Token(sent=False)),
    ],
)
def test_every_frame_is_a_token_until_the_connection_is_admitted(data, event):
    protocol = ServerProtocol(needs_token=True)
    assert list(protocol.receive(data + data)) == [event, event]
    protocol.admit(MAX_PAYLOAD)
    assert list(protocol.receive(encode_frame("/t", b"x"))) == [Published("/t", b"x")]


def test_frames_behind_the_token_are_read_as_soon_as_it_is_admitted():
    protocol = ServerProtocol(needs_token=True)
    events = []
    for event in protocol.receive(encode_command("__token", token="secret") + encode_frame("/t", bytes(2000))):
        events.append(event)
        protocol.admit(MAX_PAYLOAD)
    assert events == [Token(sent=True, value="secret"), Published("/t", bytes(2000))]


def test_a_length_out_of_bounds_ends_the_stream():
    with pytest.raises(FrameError, match="a payload of 17 bytes"):
        list(ServerProtocol(max_payload=16).receive(encode_frame("/t", bytes(17))))
    with pytest.raises(FrameError, match="a payload of 2000 bytes"):
        list(ServerProtocol(needs_token=True).receive(encode_frame("__token", bytes(2000))))
