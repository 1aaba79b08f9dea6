"""Bytes that are no message cost one CodecError, and neither time nor memory."""

from __future__ import annotations

import contextlib
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_pipeline.interfaces import CodecError

NAMES = [
    "awkward_msgs/Awkward",
    "interfaces_pkg/NavigationStep_Response",
    "sensor_msgs/JointState",
    "tf2_msgs/TFMessage",
]


@pytest.fixture(scope="session", params=NAMES)
def codec(request, interfaces):
    service, is_response, _ = request.param.partition("_Response")
    return interfaces.service(service).response if is_response else interfaces.message(request.param)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_changed_bytes_decode_or_raise_codec_error(codec, reference, seed, data):
    generator = np.random.default_rng(seed)
    payload = bytearray(reference.serialize(reference.message(codec.name, generator, generator)))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.sampled_from([0, 1, 2, 127, 128, 255]))
    try:
        values = codec.decode(payload)
    except CodecError:
        return
    assert codec.decode(codec.encode(values)).keys() == values.keys()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_a_message_cut_short_raises_codec_error(codec, reference, seed, data):
    generator = np.random.default_rng(seed)
    payload = reference.serialize(reference.message(codec.name, generator, generator))
    cut = payload[: data.draw(st.integers(0, len(payload) - 1))]
    with pytest.raises(CodecError):
        codec.decode(cut)
    with pytest.raises(CodecError):
        codec.decode_batch([payload, cut])


@settings(max_examples=200)
@given(payload=st.binary(max_size=400).map(lambda body: b"\0\1\0\0" + body))
def test_random_bytes_decode_or_raise_codec_error(codec, payload):
    with contextlib.suppress(CodecError):
        codec.decode(payload)


@pytest.mark.parametrize(
    ("name", "payload", "said"),
    [
        ("std_msgs/String", "", "header"),
        ("std_msgs/String", "00 01 00", "header"),
        ("std_msgs/String", "00 00 00 00 00 00 00 01 00", "expected a little-endian CDR header (00 01 00 00)"),
        ("std_msgs/String", "00 03 00 00 01 00 00 00 00", "found 00 03 00 00"),
        ("std_msgs/String", "00 01 00 00 00 00 00 00", "std_msgs/String.data: a string of length 0"),
        ("std_msgs/String", "00 01 00 00 ff ff ff ff 61 00", "std_msgs/String.data: expected at least"),
        ("std_msgs/String", "00 01 00 00 02 00 00 00 ff 00", "std_msgs/String.data: no UTF-8 text"),
        ("std_msgs/Bool", "00 01 00 00 01 00 00 00 00", "4 bytes are left over"),
        (
            "sensor_msgs/JointState",
            "00 01 00 00" + 8 * " 00" + "01 00 00 00 00 00 00 00 ff ff ff 7f",
            "JointState.name",
        ),
        ("geometry_msgs/Polygon", "00 01 00 00 ff ff ff ff 00 00 00 00", "geometry_msgs/Polygon.points"),
        ("rmw_dds_common/NodeEntitiesInfo", "00 01 00 00 02 01 00 00" + 257 * "61" + "00", "at most 256"),
    ],
)
def test_the_error_names_the_field_and_what_is_wrong(interfaces, name, payload, said):
    with pytest.raises(CodecError) as caught:
        interfaces.message(name).decode(bytes.fromhex(payload))
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["sensor_msgs/JointState", "tf2_msgs/TFMessage", "std_msgs/Float64MultiArray"])
def test_a_huge_count_costs_neither_time_nor_memory(interfaces, name):
    codec = interfaces.message(name)
    payload = b"\0\1\0\0" + b"\1\0\0\0\0\0\0\0" * 500_000
    tracemalloc.start()
    started = time.process_time()
    for at in range(4, 32, 4):
        changed = bytearray(payload)
        changed[at : at + 4] = (400_000).to_bytes(4, "little")
        with pytest.raises(CodecError):
            codec.layout_of(changed)
    assert time.process_time() - started < 5
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_elements_that_are_laid_out_one_by_one_are_limited_in_number(interfaces):
    codec = interfaces.message("sensor_msgs/JointState")
    assert len(codec.decode(codec.encode({"name": ["a"] * 4096}))["name"]) == 4096
    with pytest.raises(CodecError, match=r"JointState.name: 4097 elements of varying size, allowed are at most 4096"):
        codec.encode({"name": ["a"] * 4097})


def test_padding_of_any_value_may_follow(interfaces):
    codec = interfaces.message("std_msgs/Bool")
    assert codec.decode(bytes.fromhex("00 01 00 00 01 55 7f 55")) == {"data": True}
    batch = codec.decode_batch([bytes.fromhex("00 01 00 00 01 55 7f 55"), bytes.fromhex("00 01 00 00 00")])
    assert batch.data.tolist() == [True, False]


def test_options_in_the_header_are_no_fault(interfaces):
    codec = interfaces.message("std_msgs/Bool")
    assert codec.decode_batch([bytes.fromhex("00 01 00 03 01 00 00 00")]).data.tolist() == [True]
