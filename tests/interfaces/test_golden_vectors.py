"""Bytes that the serializer of a real Unity player produced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.values import nest

VECTORS = json.loads((Path(__file__).parent / "ros_tcp_connector.json").read_text(encoding="utf-8"))["vectors"]

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])


@each_vector
def test_encoding_gives_the_same_bytes(vector):
    assert load_interfaces().message(vector["type"]).encode(vector["fields"]).hex() == vector["cdr"]


@each_vector
def test_decoding_gives_the_values_that_were_set(vector):
    values = load_interfaces().message(vector["type"]).decode(bytes.fromhex(vector["cdr"]))
    assert_contains(values, nest(vector["fields"]))


@each_vector
def test_a_batch_gives_the_same_bytes_back(vector):
    payload = bytes.fromhex(vector["cdr"])
    batch = load_interfaces().message(vector["type"]).decode_batch([payload] * 3)
    assert [batch.bytes(row) for row in range(3)] == [payload] * 3


def assert_contains(values, expected):
    if isinstance(expected, dict):
        for name, value in expected.items():
            assert_contains(values[name], value)
    elif isinstance(expected, list):
        assert len(values) == len(expected)
        for value, item in zip(values, expected, strict=True):
            assert_contains(value, item)
    else:
        assert values == expected
