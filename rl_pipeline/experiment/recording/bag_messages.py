"""States, actions and rewards as messages of ROS 2's standard packages, which its tools know how to show.

A state goes into the bag unchanged, under `/state`; recognised parts of it are added as standard messages:

- a message with a `pose` (geometry_msgs/Pose) is a body: its frame is `base_link`, and with a `twist` it is odometry;
- any other pose is a frame of its own name;
- a message with `angle_min`, `angle_increment`, `range_max` and `ranges` is a planar lidar in the frame of its body.

Bodies inside the state carry its name: `red.pose` is the frame `red/base_link`, `red.lidar` the topic `/red/scan`.
Frames and units follow REP 103 and REP 105; the frame that all poses are given in is `map`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rl_pipeline.interfaces import load_interfaces
from rl_pipeline.interfaces.types import FieldType, Primitive, Sequence, Struct
from rl_pipeline.interfaces.values import nest

WORLD: Final = "map"
BODY: Final = "base_link"
POSE: Final = "geometry_msgs/Pose"
TWIST: Final = "geometry_msgs/Twist"
LIDAR_FIELDS: Final = {"angle_min", "angle_increment", "range_max", "ranges"}


@dataclass(frozen=True)
class Message:
    """Message of a bag: topic, two-part type name, and values as the codec takes them."""

    topic: str
    type_name: str
    values: Mapping[str, Any]


def state_messages(struct: Struct, state: Mapping[str, Any], stamp: int) -> list[Message]:
    """Return the messages of a state at a time in nanoseconds: the state itself, and its recognised parts."""
    parts = list(_parts(struct, state, "", stamp))
    transforms = [part.values for part in parts if part.topic == "/tf"]
    return [
        Message("/clock", "rosgraph_msgs/Clock", {"clock": time_values(stamp)}),
        Message("/state", struct.name, state),
        *([Message("/tf", "tf2_msgs/TFMessage", {"transforms": transforms})] if transforms else []),
        *(part for part in parts if part.topic != "/tf"),
    ]


def action_messages(service: str, request: Mapping[str, Any], row: int) -> Iterator[Message]:
    """Yield one row of a step request, as `Task.request` gives it, with a topic for each field."""
    fields = load_interfaces().service(service).request.struct.fields
    values = nest({path: value if np.ndim(value) == 0 else value[row] for path, value in request.items()})
    for name, value in values.items():
        yield from plain_message(f"/{name}", fields[name], value)


def plain_message(topic: str, type_: FieldType, value: Any) -> Iterator[Message]:
    """Yield a field as a message of its own: numbers and arrays of them as std_msgs; nothing for other arrays."""
    match type_:
        case Struct():
            yield Message(topic, type_.name, value)
        case Primitive(dtype):
            kind = {"b": "Bool", "f": "Float64"}.get(dtype.kind, "Int64")
            yield Message(topic, f"std_msgs/{kind}", {"data": value})
        case Sequence(Primitive()):
            yield array_message(topic, value)


def array_message(topic: str, values: Any) -> Message:
    """An array of numbers, flat."""
    return Message(topic, "std_msgs/Float64MultiArray", {"data": np.asarray(values, np.float64).reshape(-1)})


def image_message(image: tuple[str, bytes], stamp: int) -> Message:
    """An image of a player: its format and bytes."""
    values = {"header": header(stamp, "camera"), "format": image[0], "data": np.frombuffer(image[1], np.uint8)}
    return Message("/camera/image_raw/compressed", "sensor_msgs/CompressedImage", values)


def header(stamp: int, frame: str) -> dict[str, Any]:
    """A std_msgs/Header of a time in nanoseconds."""
    return {"stamp": time_values(stamp), "frame_id": frame}


def time_values(stamp: int) -> dict[str, int]:
    """A builtin_interfaces/Time of nanoseconds."""
    seconds, nanoseconds = divmod(stamp, 10**9)
    return {"sec": seconds, "nanosec": nanoseconds}


def _parts(struct: Struct, values: Mapping[str, Any], path: str, stamp: int) -> Iterator[Message]:
    """Yield the recognised parts of a message and of those in it; `path` is its name, such as `red/`, or empty."""
    body = f"{path}{BODY}" if _is(struct.fields.get("pose"), POSE) else WORLD
    for name, type_ in struct.fields.items():
        value = values[name]
        # A pose is a frame, and odometry or a stamped pose; a lidar is a scan; other messages are searched.
        if _is(type_, POSE):
            is_body = name == "pose"
            frame = body if is_body else f"{path}{name}"
            yield Message("/tf", "geometry_msgs/TransformStamped", _transform(value, frame, stamp))
            if is_body and _is(struct.fields.get("twist"), TWIST):
                yield _odometry(f"/{path}odom", value, values["twist"], frame, stamp)
            else:
                yield Message(
                    f"/{path}{name}", "geometry_msgs/PoseStamped", {"header": header(stamp, WORLD), "pose": value}
                )
        elif isinstance(type_, Struct) and type_.fields.keys() >= LIDAR_FIELDS:
            yield _scan(f"/{path}scan", value, body, stamp)
        elif isinstance(type_, Struct):
            yield from _parts(type_, value, f"{path}{name}/", stamp)


def _is(type_: FieldType | None, name: str) -> bool:
    return isinstance(type_, Struct) and type_.name == name


def _transform(pose: Mapping[str, Any], frame: str, stamp: int) -> dict[str, Any]:
    transform = {"translation": pose["position"], "rotation": pose["orientation"]}
    return {"header": header(stamp, WORLD), "child_frame_id": frame, "transform": transform}


def _odometry(topic: str, pose: Mapping[str, Any], twist: Mapping[str, Any], frame: str, stamp: int) -> Message:
    values = {
        "header": header(stamp, WORLD),
        "child_frame_id": frame,
        "pose": {"pose": pose},
        "twist": {"twist": twist},
    }
    return Message(topic, "nav_msgs/Odometry", values)


def _scan(topic: str, lidar: Mapping[str, Any], frame: str, stamp: int) -> Message:
    ranges = np.array(lidar["ranges"], np.float32)
    # A ray that hits nothing is infinite, says REP 117; with its greatest range it would be shown as an obstacle.
    ranges[ranges >= lidar["range_max"]] = np.inf
    values = {
        "header": header(stamp, frame),
        "angle_min": lidar["angle_min"],
        "angle_max": lidar["angle_min"] + lidar["angle_increment"] * max(0, len(ranges) - 1),
        "angle_increment": lidar["angle_increment"],
        "range_max": lidar["range_max"],
        "ranges": ranges,
        "intensities": np.asarray(lidar.get("tags", ()), np.float32),
    }
    return Message(topic, "sensor_msgs/LaserScan", values)
