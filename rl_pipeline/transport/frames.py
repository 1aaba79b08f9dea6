"""Frames of the ROS-TCP wire protocol: a destination and a payload, each behind its little-endian 32-bit length.

A destination that starts with `__` makes the payload a JSON command. The stream has no resynchronisation marker, so a
length out of bounds ends the connection that sent it. Unity ends destinations and JSON with a NUL that is counted in
their lengths; the server does not, and a reader accepts both.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

MAX_DESTINATION: Final = 1024
MAX_PAYLOAD: Final = 64 * 2**20
MAX_COMMAND: Final = 2**20
"""Bytes of a command's JSON, which takes about twenty times as much memory once it is parsed."""
KEEPALIVE: Final = bytes(8)
_LENGTH: Final = struct.Struct("<I")
_SRV_ID: Final = re.compile(rb'\{"srv_id": ?(0|[1-9][0-9]{0,9})\}\0*')
"""The JSON before each request and response, as connectors write it; a JSON parser takes several times as long."""


class FrameError(ValueError):
    """The stream cannot be cut into frames, or a command cannot be read."""


class Frame(NamedTuple):
    """One frame: the destination without its NULs, and the payload."""

    destination: str
    payload: bytes


def encode_frame(destination: str, payload: bytes | memoryview, *, nul: bool = False) -> bytes:
    """Encode one frame; with `nul`, the destination ends with a counted NUL, as Unity sends it."""
    name = destination.encode() + (b"\0" if nul else b"")
    return b"".join((_LENGTH.pack(len(name)), name, _LENGTH.pack(len(payload)), payload))


def encode_command(name: str, *, nul: bool = False, **fields: Any) -> bytes:
    """Encode a command, with compact JSON as Unity's serializer writes it."""
    text = json.dumps(fields, separators=(",", ":")).encode() + (b"\0" if nul else b"")
    return encode_frame(name, text, nul=nul)


def encode_request(service: str, payload: bytes | memoryview, srv_id: int) -> bytes:
    """Encode a request: the command that announces it, and its frame."""
    return encode_frame("__request", b'{"srv_id":%d}' % srv_id) + encode_frame(service, payload)


def decode_command(frame: Frame) -> dict[str, Any]:
    """Return the fields of a command's JSON.

    Raises:
        FrameError: the payload is not a JSON object.
    """
    # The usual command, without a JSON parser.
    if found := _SRV_ID.fullmatch(frame.payload):
        return {"srv_id": int(found[1])}
    try:
        fields = json.loads(frame.payload.rstrip(b"\0") or b"{}")
    except (ValueError, RecursionError) as error:
        raise FrameError(f"{frame.destination}: not JSON ({error}): {frame.payload[:80]!r}") from None
    if not isinstance(fields, dict):
        raise FrameError(f"{frame.destination}: expected a JSON object, found {frame.payload[:80]!r}")
    return fields


class FrameReader:
    """Cut a byte stream into frames, independent of how it was split on its way.

    Attributes:
        max_payload: longest payload taken, in bytes.
    """

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        self.max_payload = max_payload
        self._buffer = bytearray()

    def __len__(self) -> int:
        """Number of bytes of an incomplete frame that are held back."""
        return len(self._buffer)

    def feed(self, data: bytes | memoryview) -> Iterator[Frame]:
        """Take received bytes and yield the frames that they complete; keepalives are left out.

        Raises:
            FrameError: a length is out of bounds; the stream is lost.
        """
        buffer = self._buffer
        buffer += data
        start, size = 0, len(buffer)
        try:
            while size >= start + 4:
                # The destination's length.
                (name_size,) = _LENGTH.unpack_from(buffer, start)
                if name_size > MAX_DESTINATION:
                    raise FrameError(
                        f"a destination of {name_size} bytes (at most {MAX_DESTINATION}): the peer does not speak "
                        f"ROS-TCP; it sent {bytes(buffer[start : start + 32])!r}"
                    )
                # The payload's length, behind the destination.
                payload = start + 8 + name_size
                if size < payload:
                    break
                (payload_size,) = _LENGTH.unpack_from(buffer, payload - 4)
                if payload_size > self.max_payload:
                    raise FrameError(f"a payload of {payload_size} bytes (at most {self.max_payload})")
                if payload_size > MAX_COMMAND and buffer.startswith(b"__", start + 4):
                    raise FrameError(f"a command of {payload_size} bytes (at most {MAX_COMMAND})")
                # The frame as a whole; the rest of an incomplete one stays in the buffer.
                end = payload + payload_size
                if size < end:
                    break
                name = buffer[start + 4 : payload - 4].rstrip(b"\0")
                start = end
                if name:
                    with memoryview(buffer) as view:  # a slice of the buffer itself would be a copy more
                        content = bytes(view[payload:end])
                    yield Frame(name.decode("utf-8", "replace"), content)
        finally:
            del buffer[:start]
