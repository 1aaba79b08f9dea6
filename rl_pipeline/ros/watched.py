"""ROS entities as file descriptors, so that one poller waits for them and for sockets.

rclpy's executors wait for entities only, and would need a thread that hands messages over. Underneath, rcl calls a C
function when a message can be taken from an entity. That function is here `eventfd_write` of the C library: the
middleware's own thread makes a descriptor readable, without Python's lock and without another wake-up.
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
from collections.abc import Callable
from functools import cache
from typing import Any, Final, Protocol

logger = logging.getLogger(__name__)

BURST: Final = 64
"""Number of messages that are taken from one entity before others get their turn."""

_SETTERS: Final = {
    "Subscription": "rcl_subscription_set_on_new_message_callback",
    "Service": "rcl_service_set_on_new_request_callback",
    "Client": "rcl_client_set_on_new_response_callback",
}


class Watcher(Protocol):
    """Waits for file descriptors: an endpoint, or a Poller."""

    def watch(self, descriptor: int, handler: Callable[[int], None]) -> None:
        """Call `handler` whenever a file descriptor can be read."""

    def unwatch(self, descriptor: int) -> None:
        """Undo `watch`."""


class Poller:
    """Poller of file descriptors alone."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}

    def watch(self, descriptor: int, handler: Callable[[int], None]) -> None:
        """Call `handler` whenever a file descriptor can be read."""
        self._handlers[descriptor] = handler
        self._epoll.register(descriptor, select.EPOLLIN)

    def unwatch(self, descriptor: int) -> None:
        """Undo `watch`; the descriptor must still be open."""
        del self._handlers[descriptor]
        self._epoll.unregister(descriptor)

    def poll(self, timeout: float) -> bool:
        """Serve events, waiting at most `timeout` seconds for the first; return False if none came."""
        events = self._epoll.poll(timeout)
        for descriptor, event in events:
            self._handlers[descriptor](event)
        return bool(events)

    def close(self) -> None:
        """Stop waiting; safe to call twice."""
        self._epoll.close()


class Watched:
    """A subscription, service or client of rclpy that a poller serves when a message has come for it.

    Args:
        watcher: poller.
        entity: must be in no executor that spins.
        take: takes one message, request or response from the entity and acts on it; there may be none, since a client
            is notified of responses to others too.
    """

    def __init__(self, watcher: Watcher, entity: Any, take: Callable[[], object]) -> None:
        self._watcher = watcher
        self._entity = entity
        self._take = take
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        watcher.watch(self._descriptor, self._serve)
        _notify(entity, self._descriptor)

    def close(self) -> None:
        """Stop watching; the entity must still exist."""
        # rcl must forget the descriptor before it is closed: its number may be used again at once.
        _notify(self._entity, None)
        self._watcher.unwatch(self._descriptor)
        os.close(self._descriptor)

    def _serve(self, event: int) -> None:
        try:
            announced = os.eventfd_read(self._descriptor)
        except BlockingIOError:
            return
        # A burst, so that other entities get their turn; the rest is announced again.
        for _ in range(min(announced, BURST)):
            try:
                self._take()
            except Exception:
                logger.exception("ROS: a message cannot be served")
        if announced > BURST:
            os.eventfd_write(self._descriptor, announced - BURST)


def _notify(entity: Any, descriptor: int | None) -> None:
    """Set the descriptor that the middleware makes readable when a message has come; None: none.

    `eventfd_write(int, uint64_t)` is called as `callback(const void *user_data, size_t count)`: both pass their two
    arguments in the same registers, on all processors that ROS runs on.
    """
    # The descriptor itself is the user data of the callback.
    rcl, eventfd_write = _libraries()
    setter = getattr(rcl, _SETTERS[type(entity).__name__])
    callback = None if descriptor is None else eventfd_write
    with entity.handle:
        if setter(ctypes.c_void_p(entity.handle.pointer), callback, ctypes.c_void_p(descriptor)) != 0:
            raise RuntimeError(f"the ROS middleware cannot tell when a {type(entity).__name__} has something to take")


@cache
def _libraries() -> tuple[ctypes.CDLL, ctypes.c_void_p]:
    """Return the rcl that rclpy has loaded, and the address of `eventfd_write`."""
    return ctypes.CDLL("librcl.so"), ctypes.cast(ctypes.CDLL(None).eventfd_write, ctypes.c_void_p)
