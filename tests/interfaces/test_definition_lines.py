"""Names, constants and default values of definitions mean what they mean in ROS, and what ROS refuses is refused."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest

from rl_pipeline.errors import InputError
from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.definition_lines import read_lines

VALUES: dict[str, Any] = {
    "float64 K=-.5": -0.5,
    "float32 K=1e3": 1000.0,
    "float64 K = 3": 3.0,
    "int8 A=-128": -128,
    "uint8 A=0x10": 16,
    "int32\tA=\t5  # five": 5,
    "bool B=True": True,
    "bool B=0": False,
    "byte B=255": 255,
    "string C=50%": "50%",
    "string C= a b ": "a b",
    "string C=' a b '": " a b ",
    "string C='it\\'s'": "it's",
    "string C=": "",
    "string C=a=b": "a=b",
}
REFUSED = {
    "uint8 A=-1": "expected a whole number from 0 to 255 for uint8, found '-1'",
    "int8 A=128": "expected a whole number from -128 to 127 for int8, found '128'",
    "int32 A=1.5": "expected a whole number from -2147483648 to 2147483647 for int32, found '1.5'",
    "float32 A=half": "expected a number, found 'half'",
    "bool A=2": "expected true or false, found '2'",
    "char A=a": "expected a whole number from 0 to 255 for char, found 'a'",
    "string A='it's'": "expected quotes inside a text to be escaped",
    "geometry_msgs/Point A=1": "expected a constant of a primitive type, found type geometry_msgs/Point",
    "int32 limit=1": "the constant is named 'limit'; expected upper-case letters",
    "int32 MY__LIMIT=1": "the constant is named 'MY__LIMIT'",
    "float64 posX": "the field is named 'posX'; expected lower-case letters",
    "float64 pos__x": "the field is named 'pos__x'",
    "float64 pos_": "the field is named 'pos_'",
    "float64 _pos": "the field is named '_pos'",
    "float64 x\nfloat64 x": "line 2: x is defined twice",
    "int32 A=1\nint32 A=2": "line 2: A is defined twice",
    "int32[0] x": "expected a size of at least 1, found 0",
    "int32[<=0] x": "expected a size of at least 1, found 0",
    "string<=0 x": "expected a size of at least 1, found 0",
    "int32 x 1.5": "expected a whole number",
    "int32[] x 5": "expected a list such as [1, 2] as the default of int32[], found '5'",
    "int32[] x [1, a]": "expected a whole number",
    "geometry_msgs/Point x 5": "a field of type geometry_msgs/Point takes no default value",
}
ACCEPTED = [
    "int32 x 5",
    "int32[] x [1, 2]",
    'string s "a b"',
    "string<=5[<=3] s",
    "float64[3] x [1, 2, 3]",
    "bool[] b []",
]


@pytest.mark.parametrize("line", VALUES)
def test_a_constant_has_a_value_of_its_type(line: str) -> None:
    (value,) = read_lines(line, "A.msg").constants.values()
    assert (value, type(value)) == (VALUES[line], type(VALUES[line]))


@pytest.mark.parametrize("text", REFUSED)
def test_what_ros_refuses_is_refused_with_file_and_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_lines(text, "A.msg")
    assert str(caught.value).startswith("A.msg, line ")
    assert REFUSED[text] in str(caught.value)


@pytest.mark.parametrize("text", [*VALUES, *REFUSED, *ACCEPTED])
def test_ros_itself_says_the_same(text: str) -> None:
    parser = pytest.importorskip("rosidl_adapter.parser", reason="ROS 2 is not installed (bash install.bash ros)")

    def theirs() -> Any:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(Exception):
            read = parser.parse_message_string("a_msgs", "A", text)
            return {constant.name: constant.value for constant in read.constants}, [field.name for field in read.fields]
        return "refused"

    def ours() -> Any:
        with contextlib.suppress(InputError):
            lines = read_lines(text, "A.msg")
            return lines.constants, [field.split()[1] for field in lines.fields.values()]
        return "refused"

    assert ours() == theirs()


@pytest.mark.parametrize(
    ("package", "file", "said"),
    [
        ("My_msgs", "msg/Good.msg", "package is named 'My_msgs'; expected lower-case letters"),
        ("my_msgs", "msg/pose.msg", "type is named 'pose', as its file is; expected letters and digits"),
        ("my_msgs", "srv/Go_to.srv", "type is named 'Go_to'"),
    ],
)
def test_a_name_that_ros_refuses_is_refused_when_it_is_used(tmp_path, write_package, package, file, said) -> None:
    kind, _, name = file.partition("/")
    write_package(tmp_path, package, {file: "int32 a\n---\nint32 b" if kind == "srv" else "int32 a"})
    interfaces = load_interfaces(tmp_path)
    with pytest.raises(InputError, match=said):
        (interfaces.service if kind == "srv" else interfaces.message)(f"{package}/{name.partition('.')[0]}")
