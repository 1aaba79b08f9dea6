"""For every message type: the same bytes and the same values as the reference codec."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_pipeline.interfaces import MessageCodec, load_interfaces

AWKWARD = [f"awkward_msgs/{name}" for name in ("Mixed", "Padded", "Holder", "OnlySequence", "Awkward")]
SERVICES = ["interfaces_pkg/NavigationReset", "interfaces_pkg/NavigationStep"]
EMPTY = ["rcl_interfaces/ParameterType", "statistics_msgs/StatisticDataType", "std_msgs/Empty"]

TYPES = sorted({*load_interfaces().messages, *AWKWARD} - {*EMPTY})
seeds = st.integers(0, 2**32 - 1)
some = settings(max_examples=3)


@pytest.fixture(
    scope="session", params=[*TYPES, *(f"{name}_{side}" for name in SERVICES for side in ("Request", "Response"))]
)
def codec(request, interfaces) -> MessageCodec:
    name, _, side = request.param.partition("_Re")
    return getattr(interfaces.service(name), f"re{side}") if side else interfaces.message(name)


@some
@given(seed=seeds)
def test_bytes_and_values_are_those_of_the_reference(codec, reference, seed):
    generator = np.random.default_rng(seed)
    message = reference.message(codec.name, generator, generator)
    payload, values = reference.serialize(message), reference.plain(message)
    assert codec.encode(values) == payload
    reference.assert_same(codec.decode(payload), values)
    layout = codec.layout(codec.layout_of(payload).lengths)
    assert layout.matches(np.frombuffer(payload, np.uint8)[None])
    assert codec.layout_of(layout.empty(1).bytes(0)) is layout


@some
@given(seed=seeds)
def test_messages_of_equal_lengths_are_views_of_one_batch(codec, reference, seed):
    content = np.random.default_rng(seed)
    messages = [reference.message(codec.name, np.random.default_rng(seed), content) for _ in range(3)]
    payloads = [reference.serialize(message) for message in messages]
    rows = np.frombuffer(b"".join(payloads), np.uint8).reshape(3, -1)
    batch = codec.decode_batch(rows)
    assert np.shares_memory(batch.array, rows)
    for row, message in enumerate(messages):
        values = reference.plain(message)
        reference.assert_same(reference.row_values(batch, row, values), values)
        assert batch.bytes(row) == payloads[row]


@some
@given(seed=seeds)
def test_messages_of_different_lengths_make_a_batch_too(codec, reference, seed):
    generator = np.random.default_rng(seed)
    messages = [reference.message(codec.name, generator, generator) for _ in range(3)]
    payloads = [reference.serialize(message) for message in messages]
    batch = codec.decode_batch(payloads)
    assert len(batch) == 3
    for row, message in enumerate(messages):
        values = reference.plain(message)
        reference.assert_same(reference.row_values(batch, row, values), values)
        assert batch.bytes(row) == payloads[row]


@pytest.mark.parametrize("name", EMPTY)
def test_a_message_without_fields_is_its_header(interfaces, name):
    codec = interfaces.message(name)
    assert codec.encode({}) == b"\0\1\0\0"
    for dummy in (b"", b"\x55", b"\x55\0\x7f\x55"):
        assert codec.decode(b"\0\1\0\0" + dummy) == {}
