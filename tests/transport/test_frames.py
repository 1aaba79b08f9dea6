import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_pipeline.transport.frames import (
    KEEPALIVE,
    MAX_DESTINATION,
    Frame,
    FrameError,
    FrameReader,
    decode_command,
    encode_command,
    encode_frame,
)

destinations = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
frames = st.lists(st.tuples(destinations, st.binary(max_size=200), st.booleans()), max_size=8)


@given(frames, st.data())
def test_frames_survive_any_split_of_the_stream(frames, data):
    stream = b"".join(encode_frame(name, payload, nul=nul) + KEEPALIVE for name, payload, nul in frames)
    reader = FrameReader()
    found = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += reader.feed(stream[:size])
        stream = stream[size:]
    assert found == [Frame(name, payload) for name, payload, _ in frames]
    assert not reader


def test_frame_is_laid_out_as_the_protocol_says():
    assert encode_frame("/t", b"\1\2\3") == b"\2\0\0\0/t\3\0\0\0\1\2\3"
    assert encode_frame("/t", b"", nul=True) == b"\3\0\0\0/t\0\0\0\0\0"


def test_command_is_compact_json_with_an_optional_nul():
    assert encode_command("__request", srv_id=1001) == encode_frame("__request", b'{"srv_id":1001}')
    assert encode_command("__request", nul=True, srv_id=7) == encode_frame("__request", b'{"srv_id":7}\0', nul=True)


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_commands_are_read_with_and_without_their_nul(fields):
    text = json.dumps(fields).encode()
    assert decode_command(Frame("__x", text)) == decode_command(Frame("__x", text + b"\0")) == fields


@pytest.mark.parametrize("text", [b"{", b"[1]", b"3", b"\xff", b"[" * 100_000])
def test_command_that_is_no_json_object_is_an_error(text):
    with pytest.raises(FrameError, match="__x"):
        decode_command(Frame("__x", text))


def test_oversized_lengths_are_refused_before_anything_is_buffered():
    with pytest.raises(FrameError, match="does not speak ROS-TCP; it sent b'GET / HTTP"):
        list(FrameReader().feed(b"GET / HTTP/1.1\r\n\r\n"))
    with pytest.raises(FrameError, match="payload of 4097 bytes"):
        list(FrameReader(max_payload=4096).feed(b"\1\0\0\0a" + (4097).to_bytes(4, "little")))
    with pytest.raises(FrameError, match="destination"):
        list(FrameReader().feed((MAX_DESTINATION + 1).to_bytes(4, "little")))


def test_frames_before_a_malformed_one_are_delivered():
    reader = FrameReader()
    found = reader.feed(encode_frame("/a", b"x") + b"\xff\xff\xff\xff")
    assert next(found) == Frame("/a", b"x")
    with pytest.raises(FrameError):
        next(found)
