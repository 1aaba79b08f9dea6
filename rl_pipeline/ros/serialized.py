"""Services whose requests and responses stay bytes (CDR), which rclpy offers for topics but not for services.

rclpy makes Python objects of requests and responses, which takes ten times as long as the rest of a call: 0.6 ms for a
navigation step's response. Here rcl's own functions fill and read the message in C, and rmw's convert it to bytes.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final, NamedTuple

from rl_pipeline.plurals import plural

OK: Final = 0
TIMED_OUT: Final = 2
"""Result of rcl_send_response if the client that asked is not found: it has left, or has just come."""
TAKE_FAILED: Final = frozenset({501, 601})
"""Results of rcl_take_response and rcl_take_request if there is no message."""


class RequestId(ctypes.Structure):
    """Sender and number of a request: rmw_request_id_t."""

    _fields_ = (("writer_guid", ctypes.c_uint8 * 16), ("sequence_number", ctypes.c_int64))


class Taken(NamedTuple):
    """A request or response that was taken."""

    request_id: RequestId
    payload: bytes


class SerializedService:
    """Access to the bytes of an rclpy service that is in no executor.

    Args:
        service: result of `create_service`.
    """

    def __init__(self, service: Any) -> None:
        self._handle = service.handle
        self._request = _Message(service.srv_type.Request)
        self._response = _Message(service.srv_type.Response)

    def take(self) -> Taken | None:
        """Take the next request; None if there is none."""
        return _take(_rcl().rcl_take_request, self._handle, self._request)

    def respond(self, request_id: RequestId, payload: bytes) -> bool:
        """Send a response, for which the middleware may wait a tenth of a second until the client is discovered.

        Returns:
            False: the client that asked cannot be reached, or not yet.

        Raises:
            ValueError: the payload is not of the response's type.
        """
        self._response.write(payload)
        # Until DDS has discovered the client, its response cannot be sent.
        with self._handle:
            result = _rcl().rcl_send_response(_pointer(self._handle), ctypes.byref(request_id), self._response.address)
        if result == TIMED_OUT:
            _rcl().rcutils_reset_error()
            return False
        _check(result)
        return True


class SerializedClient:
    """Access to the bytes of an rclpy client that is in no executor.

    Args:
        client: result of `create_client`.
    """

    def __init__(self, client: Any) -> None:
        self._handle = client.handle
        self._request = _Message(client.srv_type.Request)
        self._response = _Message(client.srv_type.Response)

    def send(self, payload: bytes) -> int:
        """Send a request; return the sequence number of its response.

        Raises:
            ValueError: the payload is not of the request's type.
        """
        self._request.write(payload)
        number = ctypes.c_int64()
        with self._handle:
            _check(_rcl().rcl_send_request(_pointer(self._handle), self._request.address, ctypes.byref(number)))
        return number.value

    def take(self) -> Taken | None:
        """Take the next response; None if there is none."""
        return _take(_rcl().rcl_take_response, self._handle, self._response)


class _Message:
    """Memory of one message in C, used for all messages of a type."""

    def __init__(self, message_class: Any) -> None:
        from rclpy.type_support import check_for_type_support

        check_for_type_support(message_class)
        metaclass = type(message_class)
        self._name = message_class.__name__
        self._type_support = ctypes.c_void_p(_content(metaclass._TYPE_SUPPORT))
        # Functions of the generated code, which rclpy keeps in capsules.
        create = ctypes.CFUNCTYPE(ctypes.c_void_p)(_content(metaclass._CREATE_ROS_MESSAGE))
        self._destroy = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_content(metaclass._DESTROY_ROS_MESSAGE))
        self.address = ctypes.c_void_p(create())
        self._given = _GivenBytes()
        self._given_address = ctypes.byref(self._given)

    def __del__(self) -> None:
        self._destroy(self.address)

    def read(self) -> bytes:
        """Return the message as bytes."""
        array = _scratch()
        _check(_rcl().rmw_serialize(self.address, self._type_support, ctypes.byref(array)))
        return ctypes.string_at(array.buffer, array.length)

    def write(self, payload: bytes) -> None:
        """Fill the message from bytes."""
        self._given.buffer = payload
        self._given.length = len(payload)
        self._given.capacity = len(payload)
        if _rcl().rmw_deserialize(self._given_address, self._type_support, self.address) != OK:
            _rcl().rcutils_reset_error()
            raise ValueError(f"{len(payload)} {plural(len(payload), 'byte')}: no {self._name}")


class _Allocator(ctypes.Structure):
    """rcutils_allocator_t."""

    _fields_ = tuple(
        (name, ctypes.c_void_p) for name in ("allocate", "deallocate", "reallocate", "zero_allocate", "state")
    )


class _ByteArray(ctypes.Structure):
    """rcutils_uint8_array_t, which is also rmw_serialized_message_t."""

    _fields_ = (
        ("buffer", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("capacity", ctypes.c_size_t),
        ("allocator", _Allocator),
    )


class _GivenBytes(ctypes.Structure):
    """The same for bytes that Python owns; they are only read."""

    _fields_ = (("buffer", ctypes.c_char_p), *_ByteArray._fields_[1:])


@cache
def _rcl() -> ctypes.CDLL:
    """Return the rcl that rclpy has loaded, with the libraries that it is linked with."""
    return ctypes.CDLL("librcl.so")


@cache
def _scratch() -> _ByteArray:
    """Return memory for serialized messages; rmw enlarges it as necessary."""
    rcl = _rcl()
    rcl.rcutils_get_default_allocator.restype = _Allocator
    allocator = rcl.rcutils_get_default_allocator()
    array = _ByteArray()
    _check(rcl.rcutils_uint8_array_init(ctypes.byref(array), ctypes.c_size_t(1024), ctypes.byref(allocator)))
    return array


def _take(take: Any, handle: Any, message: _Message) -> Taken | None:
    request_id = RequestId()
    with handle:
        result = take(_pointer(handle), ctypes.byref(request_id), message.address)
    if result in TAKE_FAILED:
        return None
    _check(result)
    return Taken(request_id, message.read())


def _check(result: int) -> None:
    if result != OK:
        _rcl().rcutils_reset_error()
        raise RuntimeError(f"the ROS middleware failed with code {result}")


def _pointer(handle: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(handle.pointer)


def _content(capsule: Any) -> int:
    """Return the address in a PyCapsule."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    address: int = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    return address
