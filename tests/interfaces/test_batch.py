"""Layouts and the batches over them: what hot loops live on."""

from __future__ import annotations

import numpy as np
import pytest

from rl_pipeline.errors import UnknownNameError
from rl_pipeline.interfaces import CodecError, load_interfaces

RAYS = {"state.lidar.ranges": 30, "state.lidar.tags": 30}


@pytest.fixture
def response(interfaces):
    return interfaces.service("interfaces_pkg/NavigationStep").response


def rows_of(batch):
    return np.stack([np.frombuffer(batch.bytes(row), np.uint8) for row in range(len(batch))])


def test_what_is_assigned_by_path_is_read_by_attribute_and_from_the_bytes(response):
    batch = response.layout(RAYS).empty(3)
    batch["state.pose.position.x"] = [1.0, 2.0, 3.0]
    batch["state.lidar.ranges"] = np.arange(30)
    batch["simulated_time"] = 0.5
    assert batch.state.pose.position.x.tolist() == [1.0, 2.0, 3.0]
    values = response.decode(batch.bytes(2))
    assert values["state"]["pose"]["position"]["x"] == 3.0
    assert values["state"]["lidar"]["ranges"].tolist() == list(range(30))
    assert values["simulated_time"] == 0.5


def test_fields_are_views_made_once_that_follow_the_buffer(response):
    layout = response.layout(RAYS)
    rows = rows_of(layout.empty(4))
    batch = layout.view(rows)
    ranges, frame = batch.state.lidar.ranges, layout.empty(4)
    frame["state.lidar.ranges"] = 7.0
    rows[:] = rows_of(frame)
    assert batch.state.lidar.ranges is ranges
    assert ranges.tolist() == [[7.0] * 30] * 4


def test_rows_may_lie_apart_and_unaligned(response):
    layout = response.layout(RAYS)
    memory = np.full((5, layout.size + 50), 0xAA, np.uint8)
    rows = memory[:, 7 : 7 + layout.size + 2]
    rows[:, : layout.size] = rows_of(layout.empty(5))
    batch = layout.view(rows)
    batch["state.health"] = np.linspace(0, 1, 5)
    assert layout.matches(rows)
    assert np.shares_memory(batch.array, memory)
    assert response.decode(batch.bytes(4))["state"]["health"] == 1.0
    assert (memory[:, :7] == 0xAA).all()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("state.lidar.ranges", np.zeros(29), "shape (29,)"),
        ("image.format", "jpeg", "expected 3 bytes (the layout fixes every length), found 4"),
        ("state.health", "full", "expected numbers, found text or bytes"),
        ("response_sent.nanosec", -1, "out of bounds for uint32"),
        ("state", 1.0, "cannot take a float as a whole"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_that_names_the_field(response, path, value, said):
    batch = response.layout({**RAYS, "image.format": 3}).empty(2)
    with pytest.raises(CodecError) as caught:
        batch[path] = value
    assert path in str(caught.value)
    assert said in str(caught.value)


def test_text_and_bytes_of_the_right_length_can_be_assigned(response):
    batch = response.layout({"image.format": 4, "image.data": 3}).empty(2)
    batch["image.format"] = "jpeg"
    batch["image.data"] = b"\1\2\3"
    assert batch.image.format == ["jpeg", "jpeg"]
    batch["image.format"] = ["webp", "tiff"]
    assert batch.image.format == ["webp", "tiff"]
    assert batch["image.format"].tobytes() == b"webptiff"
    assert batch.image.data.tolist() == [[1, 2, 3]] * 2


def test_rows_are_taken_copied_and_assigned_with_their_lengths(response):
    batch = response.layout(RAYS).empty(4)
    batch["state.health"] = [0.1, 0.2, 0.3, 0.4]
    taken = batch.take([3, 1])
    batch.assign(np.array([True, False, False, True]), taken)
    np.testing.assert_allclose(batch.state.health, [0.4, 0.2, 0.3, 0.2], rtol=1e-6)
    copied = batch.copy()
    copied["state.health"] = 0.0
    assert batch.state.health.all()
    assert response.decode(copied.bytes(0))["state"]["lidar"]["ranges"].shape == (30,)


def test_states_of_two_services_can_be_assigned_to_each_other(interfaces):
    step = interfaces.message("interfaces_pkg/NavigationState").layout({"lidar.ranges": 2, "lidar.tags": 2}).empty(3)
    message = interfaces.service("interfaces_pkg/NavigationReset").response
    reset = message.layout({"state.lidar.ranges": 2, "state.lidar.tags": 2}).empty(1)
    reset["state.lidar.ranges"] = [5.0, 6.0]
    step.assign([1], reset.state)
    assert step.lidar.ranges.tolist() == [[0, 0], [5, 6], [0, 0]]
    with pytest.raises(CodecError, match=r"interfaces_pkg/NavigationState\.lidar\.ranges: expected length 2, found 0"):
        step.assign([1], message.layout().empty(1).state)


def test_assigning_from_another_padding_keeps_both_messages_valid(tmp_path, write_package):
    fields = "uint8 flag\nfloat64[] values\nstring text\nfloat64 last"
    write_package(tmp_path, "m_msgs", {"msg/Inner.msg": fields, "msg/Outer.msg": "uint32 count\nm_msgs/Inner inner"})
    load = load_interfaces(tmp_path).message
    outer = load("m_msgs/Outer").layout({"inner.values": 1, "inner.text": 2}).empty(2)
    inner = load("m_msgs/Inner").layout({"values": 1, "text": 2}).empty(1)
    assert outer.inner.array.dtype != inner.array.dtype
    inner["values"], inner["text"], inner["last"] = 1.0, "ab", 2.0
    outer.inner.assign([1], inner)
    values = load("m_msgs/Outer").decode(outer.bytes(1))["inner"]
    assert (values["values"].tolist(), values["text"], values["last"]) == ([1.0], "ab", 2.0)


def test_strings_of_ragged_rows_are_read_by_attribute_and_by_path(interfaces):
    codec = interfaces.message("awkward_msgs/Holder")
    batch = codec.decode_batch([codec.encode({"names": ["a", "bc"]}), codec.encode({"names": ["def"]})])
    assert batch.names == [["a", "bc"], ["def"]]
    assert [[name.tobytes() for name in names] for names in batch["names"]] == [[b"a", b"bc"], [b"def"]]


def test_packed_elements_are_arrays_and_others_are_taken_one_by_one(interfaces):
    poses = interfaces.message("geometry_msgs/PoseArray")
    batch = poses.layout({"poses": 2}).empty(3)
    batch["poses[1].position.x"] = [1.0, 2.0, 3.0]
    assert batch.poses.position.x.tolist() == [[0, 1], [0, 2], [0, 3]]
    assert batch.poses[1].position.x.tolist() == [1.0, 2.0, 3.0]
    transforms = interfaces.message("tf2_msgs/TFMessage")
    frames = {"transforms": 2, "transforms[0].child_frame_id": 3}
    batch = transforms.layout(frames).empty(1)
    batch["transforms[0].child_frame_id"] = "arm"
    assert [element.child_frame_id for element in batch.transforms] == [["arm"], [""]]
    with pytest.raises(AttributeError, match="vary in size"):
        _ = batch.transforms.child_frame_id


def test_only_what_differs_between_ragged_rows_is_kept_apart(response):
    plain, rendered = response.layout(RAYS), response.layout({**RAYS, "image.data": 100})
    batch = response.decode_batch([plain.empty(1).bytes(0), rendered.empty(1).bytes(0)])
    assert batch.state.lidar.ranges.shape == (2, 30)
    assert [len(data) for data in batch.image.data] == [0, 100]
    states = plain.empty(3).state
    states.assign([0, 2], batch.state)
    assert response.decode(batch.take([1]).bytes(0))["image"]["data"].size == 100
    batch["simulated_time"] = [1.0, 2.0]
    batch.assign([0], rendered.empty(1))
    assert batch.simulated_time.tolist() == [0.0, 2.0]
    assert len(batch.take([])) == 0
    with pytest.raises(CodecError, match="no single array"):
        _ = batch.array


def test_no_payloads_make_an_empty_batch(response):
    assert len(response.decode_batch([])) == 0


def test_nested_and_dotted_values_encode_alike_and_the_rest_is_zero(interfaces):
    request = interfaces.service("interfaces_pkg/NavigationStep").request
    dotted = request.encode({"render": True, "action.linear.x": 1.0, "action.angular": {"z": 2.0}})
    assert dotted == request.encode({"render": True, "action": {"linear": {"x": 1.0}, "angular.z": 2.0}})
    assert request.decode(dotted)["action"]["linear"] == {"x": 1.0, "y": 0.0, "z": 0.0}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"trnsforms": []}, "did you mean 'transforms'?"),
        ({"transforms": [{"child_frame_id": 3}]}, "transforms[0].child_frame_id: expected text, found int"),
        ({"transforms": 3}, "expected a sequence, found int"),
        ({"transforms": ["arm"]}, "expected a mapping of the fields of geometry_msgs/TransformStamped, found str"),
        ({"transforms": [{"header": 1, "header.frame_id": "a"}]}, "header is given both as a whole and by its fields"),
    ],
)
def test_values_that_cannot_be_encoded_are_errors_that_name_the_field(interfaces, values, said):
    with pytest.raises((CodecError, UnknownNameError)) as caught:
        interfaces.message("tf2_msgs/TFMessage").encode(values)
    assert said in str(caught.value)


def test_copies_of_states_are_aligned_whatever_their_size(response):
    state = response.layout({**RAYS, "image.data": 3}).empty(3).state
    for copy in (state.copy(), state.take([2]), state.take([0, 2])):
        assert copy.pose.position.x.flags.aligned
        assert copy.target.position.y.flags.aligned
