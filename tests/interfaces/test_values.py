"""Values of one message: a field holds what it is given, or says why it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from rl_pipeline.interfaces import CodecError, load_interfaces


@pytest.mark.parametrize("data", [b"abc", bytearray(b"abc"), memoryview(b"abc"), [97, 98, 99], np.array([97, 98, 99])])
def test_bytes_are_an_array_of_uint8(data):
    codec = load_interfaces().message("sensor_msgs/CompressedImage")
    assert codec.decode(codec.encode({"data": data}))["data"].tobytes() == b"abc"


def test_bytes_are_an_array_of_byte_and_of_a_fixed_length(tmp_path, write_package):
    write_package(tmp_path, "a_msgs", {"msg/A.msg": "byte[] raw\nuint8[3] three\nchar[] letters"})
    codec = load_interfaces(tmp_path).message("a_msgs/A")
    values = codec.decode(codec.encode({"raw": b"\xff\x01", "three": b"abc", "letters": b"\xff"}))
    assert [values[name].tobytes() for name in values] == [b"\xff\x01", b"abc", b"\xff"]
    with pytest.raises(CodecError, match=r"A.three: expected 3 elements, found 2"):
        codec.encode({"three": b"ab"})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"whole": 1.5}, "A.whole: expected a whole number, found 1.5"),
        ({"whole": np.float32(1.5)}, "A.whole: expected whole numbers of type int32, found 1.5"),
        ({"whole": float("nan")}, "A.whole: expected a whole number, found nan"),
        ({"whole": "1"}, "A.whole: expected numbers, found text or bytes"),
        ({"many": [1, 2.5]}, "A.many: expected whole numbers of type uint8, found"),
        ({"many": np.array([1, 300])}, "A.many: expected whole numbers of type uint8, found"),
        ({"many": [-1]}, "A.many: "),
        ({"many": 5}, "A.many: expected a sequence, found int"),
        ({"flag": 2}, "A.flag: expected true or false, found 2"),
        ({"flag": 0.5}, "A.flag: expected a whole number, found 0.5"),
    ],
)
def test_a_value_that_a_field_cannot_hold_is_refused(tmp_path, write_package, values, said):
    write_package(tmp_path, "a_msgs", {"msg/A.msg": "int32 whole\nuint8[] many\nbool flag\nfloat32 real"})
    with pytest.raises(CodecError) as caught:
        load_interfaces(tmp_path).message("a_msgs/A").encode(values)
    assert said in str(caught.value)


def test_whole_numbers_may_be_written_as_floats_and_truths_as_numbers(tmp_path, write_package):
    write_package(tmp_path, "a_msgs", {"msg/A.msg": "int32 whole\nuint8[] many\nbool flag\nfloat32 real"})
    codec = load_interfaces(tmp_path).message("a_msgs/A")
    decoded = codec.decode(codec.encode({"whole": 2.0, "many": [1.0, 2], "flag": 1, "real": 0.1}))
    assert (decoded["whole"], decoded["many"].tolist(), decoded["flag"]) == (2, [1, 2], True)
    assert decoded["real"] == pytest.approx(0.1)


def test_a_fraction_is_no_whole_number_of_a_batch_either():
    request = load_interfaces().service("interfaces_pkg/NavigationReset").request.layout().empty(2)
    with pytest.raises(CodecError, match=r"seed: expected a whole number, found 1.5"):
        request["seed"] = 1.5
