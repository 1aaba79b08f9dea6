"""Layouts: dtypes of messages whose sequences have given lengths."""

from __future__ import annotations

import numpy as np
import pytest

from rl_pipeline.errors import UnknownNameError
from rl_pipeline.interfaces import CodecError

RAYS = {"state.lidar.ranges": 30, "state.lidar.tags": 30}


@pytest.fixture
def response(interfaces):
    return interfaces.service("interfaces_pkg/NavigationStep").response


def rows_of(batch):
    return np.stack([np.frombuffer(batch.bytes(row), np.uint8) for row in range(len(batch))])


def test_an_empty_batch_holds_valid_messages_with_zeros(response):
    batch = response.layout(RAYS).empty(2)
    values = response.decode(batch.bytes(1))
    assert values["state"]["lidar"]["ranges"].tolist() == [0.0] * 30
    assert values["image"] == {
        "header": {"stamp": {"sec": 0, "nanosec": 0}, "frame_id": ""},
        "format": "",
        "data": values["image"]["data"],
    }


@pytest.mark.parametrize(
    "other", [{}, {**RAYS, "state.lidar.tags": 29}, {**RAYS, "image.data": 1}, {**RAYS, "image.format": 1}]
)
def test_rows_of_another_length_do_not_match(response, other):
    layout = response.layout(RAYS)
    rows = np.zeros((3, layout.size + 8), np.uint8)
    rows[:, : layout.size] = rows_of(layout.empty(3))
    assert layout.matches(rows)
    changed = response.layout(other)
    rows[1, : changed.size] = rows_of(changed.empty(1))[0]
    assert not layout.matches(rows)
    assert not layout.matches(rows[:, : layout.size - 1])


def test_a_big_endian_row_does_not_match(interfaces):
    layout = interfaces.message("std_msgs/Int64").layout()
    assert layout.matches(np.array([[0, 1, 0, 0] + [0] * 8], np.uint8))
    assert not layout.matches(np.array([[0, 0, 0, 0] + [0] * 8], np.uint8))


def test_the_dtype_covers_the_whole_payload(response):
    layout = response.layout(RAYS)
    assert layout.dtype.itemsize == layout.size == len(layout.empty(1).bytes(0)) == 404
    assert layout.dtype.fields["simulated_time"][1] == 20
    assert layout.lengths == {**RAYS, "image.header.frame_id": 0, "image.format": 0, "image.data": 0}


def test_unknown_lengths_and_fields_are_errors_that_offer_the_nearest(response):
    with pytest.raises(UnknownNameError, match=r"state.lidar.range'; did you mean 'state.lidar.ranges'"):
        response.layout({"state.lidar.range": 30})
    batch = response.layout(RAYS).empty(1)
    with pytest.raises(UnknownNameError, match=r"'state.lidar.rangs'; did you mean 'state.lidar.ranges'"):
        batch["state.lidar.rangs"]
    with pytest.raises(UnknownNameError, match=r"'simulated_tim'; did you mean 'simulated_time'"):
        batch["simulated_tim"] = 1.0
    with pytest.raises(AttributeError, match=r"interfaces_pkg/NavigationState 'helth'; did you mean 'health'"):
        _ = batch.state.helth
    with pytest.raises(CodecError, match=r"state.lidar.ranges: length -1"):
        response.layout({"state.lidar.ranges": -1})
