"""What is kept of messages, and written over by the next: settled batches, and the latest message of a stream."""

import numpy as np
import pytest

from rl_pipeline.interfaces import CodecError, LatestMessage, once_settled


@pytest.fixture
def doubled():
    """A function of a batch that counts its calls."""

    @once_settled
    def doubled(batch):
        doubled.calls += 1
        return 2 * batch["simulated_time"]

    doubled.calls = 0
    return doubled


@pytest.fixture
def codec(interfaces):
    return interfaces.service("interfaces_pkg/NavigationStep").response


def response(codec, time, rays=3):
    batch = codec.layout({"state.lidar.ranges": rays, "state.lidar.tags": rays}).empty(2)
    batch["simulated_time"] = time
    return batch


def test_what_is_computed_of_a_settled_batch_is_computed_once(codec, doubled):
    batch = response(codec, [1.0, 2.0])
    batch.settle()
    assert doubled(batch).tolist() == doubled(batch).tolist() == [2.0, 4.0]
    assert doubled.calls == 1


def test_a_batch_that_is_not_settled_is_computed_each_time(codec, doubled):
    batch = response(codec, [1.0, 2.0])
    doubled(batch)
    batch["simulated_time"][:] = 5.0
    assert doubled(batch).tolist() == [10.0, 10.0]


@pytest.mark.parametrize("change", ["field", "row"])
def test_assigning_to_a_settled_batch_forgets_what_was_computed(codec, doubled, change):
    batch = response(codec, [1.0, 2.0])
    batch.settle()
    doubled(batch)
    if change == "field":
        batch["simulated_time"] = [1.0, 4.0]
    else:
        batch.assign([1], response(codec, [3.0, 4.0]).take([1]))
    assert doubled(batch).tolist() == [2.0, 8.0]


def test_copies_of_a_settled_batch_are_not_settled(codec, doubled):
    batch = response(codec, [1.0, 2.0])
    batch.settle()
    copy = batch.copy()
    copy["simulated_time"][:] = 3.0
    assert doubled(copy).tolist() == [6.0, 6.0]


def test_latest_message_is_what_the_codec_decodes_whatever_came_before(codec):
    latest = LatestMessage(codec)
    for time, rays in ((1.0, 3), (2.0, 3), (3.0, 5), (4.0, 3), (5.0, 5)):
        payload = response(codec, time, rays).bytes(0)
        found, expected = latest.decode(payload), codec.decode_batch([payload])
        assert found["simulated_time"].tolist() == [time]
        np.testing.assert_array_equal(found.array, expected.array)


def test_messages_of_one_length_but_other_sequences_are_told_apart(codec):
    lengths = [{"state.lidar.ranges": 3, "state.lidar.tags": 8}, {"state.lidar.ranges": 4, "state.lidar.tags": 4}]
    payloads = [codec.layout(each).empty(1).bytes(0) for each in lengths]
    assert len(payloads[0]) == len(payloads[1])
    latest = LatestMessage(codec)
    assert [latest.decode(payload)["state.lidar.ranges"].shape for payload in payloads] == [(1, 3), (1, 4)]


def test_views_of_the_latest_message_stay_while_lengths_do(codec):
    latest = LatestMessage(codec)
    time = latest.decode(response(codec, 1.0).bytes(0))["simulated_time"]
    latest.decode(response(codec, 7.0).bytes(0))
    assert time.tolist() == [7.0]


def test_bytes_that_are_no_message_are_refused_and_the_next_message_is_read(codec):
    latest = LatestMessage(codec)
    payload = response(codec, 1.0).bytes(0)
    latest.decode(payload)
    for broken in (payload[:-40], b"", bytes(len(payload)), b"\xff" * len(payload)):
        with pytest.raises(CodecError):
            latest.decode(broken)
    assert latest.decode(payload)["simulated_time"].tolist() == [1.0]
