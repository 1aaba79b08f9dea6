"""What waits for a slow peer: everything but messages of topics, of which the newest stay."""

import pytest

from rl_pipeline.transport.outbox import MAX_WAITING, Outbox


class Peer:
    """Takes so many bytes, and then no more."""

    def __init__(self, room):
        self.room = room
        self.received = b""

    def send(self, data):
        if not self.room:
            raise BlockingIOError
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.received += taken
        return len(taken)


def flushed(outbox, room=10**9):
    peer = Peer(room)
    try:
        outbox.flush(peer.send)
    except BlockingIOError:
        assert peer.room == 0
    return peer.received


def test_frames_are_sent_in_their_order():
    outbox = Outbox()
    outbox.put(b"one")
    outbox.put_message("/t", b"two", depth=2)
    outbox.put(b"three")
    assert len(outbox) == 11
    assert flushed(outbox) == b"onetwothree"
    assert len(outbox) == 0
    assert outbox.age == 0.0


def test_the_newest_messages_of_a_topic_take_the_place_of_its_oldest_and_of_no_others():
    outbox = Outbox()
    outbox.put(b"answer ")
    outbox.put_message("/other", b"other ", depth=1)
    assert [outbox.put_message("/t", b"%d " % number, depth=2) for number in range(5)] == [0, 0, 1, 1, 1]
    assert flushed(outbox) == b"answer other 3 4 "


def test_message_that_has_begun_to_be_sent_is_sent_in_full():
    outbox = Outbox()
    outbox.put_message("/t", b"abcdef", depth=1)
    assert flushed(outbox, room=2) == b"ab"
    assert outbox.put_message("/t", b"new", depth=1) == 0
    assert outbox.put_message("/t", b"newer", depth=1) == 1
    assert flushed(outbox) == b"cdefnewer"


def test_bytes_that_wait_are_copied_since_their_memory_is_written_again():
    outbox, batch = Outbox(), bytearray(b"request")
    outbox.put(memoryview(batch))
    batch[:] = b"another"
    assert flushed(outbox) == b"request"


@pytest.mark.parametrize("depth", [1, 1000])
def test_memory_is_bounded_whatever_the_depth(depth):
    outbox, message = Outbox(), bytes(2**20)
    dropped = sum(outbox.put_message("/t", message, depth) for _ in range(40))
    assert len(outbox) <= MAX_WAITING
    assert dropped == 40 - len(outbox) // len(message)
