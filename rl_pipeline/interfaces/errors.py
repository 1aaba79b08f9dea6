"""What goes wrong between bytes and values."""

from __future__ import annotations


class CodecError(ValueError):
    """Bytes that are no message of the expected type, or values that the type cannot hold.

    The message names the type and the field.
    """
