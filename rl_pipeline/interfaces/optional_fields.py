"""Fields of the reset and step services that a build may leave out, and the abilities that come with them.

- `seed` in the reset request makes episodes repeatable;
- `render` in a request and `image` in a response allow recording frames;
- `request_sent` in a request, `request_received` and `response_sent` in a response give latencies;
- `simulated_time` in a response gives recorded bags the player's own time.

A field of one of these names but of another type counts as absent.
"""

from __future__ import annotations

from typing import Final

from rl_pipeline.interfaces.types import Primitive, Struct

TIME: Final = "builtin_interfaces/Time"
IMAGE: Final = "sensor_msgs/CompressedImage"
OPTIONAL_FIELDS: Final[dict[str, str | None]] = {
    "seed": None,
    "render": None,
    "request_sent": TIME,
    "request_received": TIME,
    "response_sent": TIME,
    "simulated_time": None,
    "image": IMAGE,
}
"""Message type of each optional field; None: a number or a bool."""


def has_field(struct: Struct, name: str) -> bool:
    """Return whether a message has an optional field, of a type that counts."""
    type_, expected = struct.fields.get(name), OPTIONAL_FIELDS[name]
    if expected is None:
        return isinstance(type_, Primitive)
    return isinstance(type_, Struct) and type_.name == expected


def has_stamps(response: Struct) -> bool:
    """Return whether a player stamps the requests it receives and the responses it sends."""
    return has_field(response, "request_received") and has_field(response, "response_sent")
