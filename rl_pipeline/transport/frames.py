"""Frames of the ROS-TCP wire protocol: a destination and a payload, each behind its little-endian 32-bit length.

A destination that starts with `__` makes the payload a JSON command. The stream has no resynchronisation marker, so a
length out of bounds ends the connection that sent it. Unity ends destinations and JSON with a NUL that is counted in
their lengths; the server does not, and a reader takes both.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

MAX_DESTINATION: Final = 1024
MAX_PAYLOAD: Final = 64 * 2**20
MAX_COMMAND: Final = 2**20
"""Bytes of a command's JSON, which takes some twenty times as much memory when it is read."""
MAX_TOKEN_PAYLOAD: Final = 1024
"""Bytes of the first frame of a connection that must send a token."""
KEEPALIVE: Final = bytes(8)
_LENGTH: Final = struct.Struct("<I")


class FrameError(ValueError):
    """The stream cannot be cut into frames, or a command cannot be read."""


class Frame(NamedTuple):
    """One frame: the destination without its NULs, and the payload as it came."""

    destination: str
    payload: bytes


def encode_frame(destination: str, payload: bytes | memoryview, *, nul: bool = False) -> bytes:
    """Bytes of one frame; with `nul`, the destination ends with a counted NUL, as Unity sends it."""
    name = destination.encode() + (b"\0" if nul else b"")
    return b"".join((_LENGTH.pack(len(name)), name, _LENGTH.pack(len(payload)), payload))


def encode_command(name: str, *, nul: bool = False, **fields: Any) -> bytes:
    """Bytes of a command's frame, with compact JSON as Unity's serializer writes it."""
    text = json.dumps(fields, separators=(",", ":")).encode() + (b"\0" if nul else b"")
    return encode_frame(name, text, nul=nul)


def decode_command(frame: Frame) -> dict[str, Any]:
    """Fields of a command's JSON.

    Raises:
        FrameError: the payload is not a JSON object.
    """
    try:
        fields = json.loads(frame.payload.rstrip(b"\0") or b"{}")
    except (ValueError, RecursionError) as error:
        raise FrameError(f"{frame.destination}: not JSON ({error}): {frame.payload[:80]!r}") from None
    if not isinstance(fields, dict):
        raise FrameError(f"{frame.destination}: expected a JSON object, found {frame.payload[:80]!r}")
    return fields


class FrameReader:
    """Cuts a byte stream into frames, however it was split on its way.

    Attributes:
        max_payload: longest payload taken, in bytes.
    """

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        self.max_payload = max_payload
        self._buffer = bytearray()

    def __len__(self) -> int:
        """Bytes of an incomplete frame that are held back."""
        return len(self._buffer)

    def feed(self, data: bytes | memoryview) -> Iterator[Frame]:
        """Take what was received and yield the frames that it completes; keepalives are left out.

        Raises:
            FrameError: a length is out of bounds; the stream is lost.
        """
        self._buffer += data
        start = 0
        try:
            while (end := self._end_of_frame(start)) is not None:
                frame = self._cut(start)
                start = end
                if frame is not None:
                    yield frame
        finally:
            del self._buffer[:start]

    def _end_of_frame(self, start: int) -> int | None:
        """Position behind the frame that begins at `start`, or None while it is incomplete."""
        size = len(self._buffer)
        if size < start + 4:
            return None
        (name_size,) = _LENGTH.unpack_from(self._buffer, start)
        if name_size > MAX_DESTINATION:
            raise FrameError(
                f"a destination of {name_size} bytes (at most {MAX_DESTINATION}): the peer does not speak ROS-TCP; "
                f"it sent {bytes(self._buffer[start : start + 32])!r}"
            )
        payload = start + 8 + int(name_size)
        if size < payload:
            return None
        (payload_size,) = _LENGTH.unpack_from(self._buffer, payload - 4)
        if payload_size > self.max_payload:
            raise FrameError(f"a payload of {payload_size} bytes (at most {self.max_payload})")
        if payload_size > MAX_COMMAND and self._buffer.startswith(b"__", start + 4):
            raise FrameError(f"a command of {payload_size} bytes (at most {MAX_COMMAND})")
        end = payload + int(payload_size)
        return end if size >= end else None

    def _cut(self, start: int) -> Frame | None:
        (name_size,) = _LENGTH.unpack_from(self._buffer, start)
        payload = start + 8 + name_size
        (payload_size,) = _LENGTH.unpack_from(self._buffer, payload - 4)
        name = self._buffer[start + 4 : start + 4 + name_size].rstrip(b"\0")
        if not name:
            return None
        with memoryview(self._buffer) as buffer:  # a slice of the buffer itself would be a copy more
            return Frame(name.decode("utf-8", "replace"), bytes(buffer[payload : payload + payload_size]))
