"""ROS entities as file descriptors, so that one poller waits for them and for sockets.

rclpy's executors wait for entities only, and would need a thread of their own that hands everything over. Underneath,
rcl calls a C function when something can be taken from an entity. That function is here `eventfd_write` of the C
library: the middleware's own thread makes a descriptor readable, without Python's lock and without a wake-up between.
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
"""What is taken from one entity before others get their turn."""

_SETTERS: Final = {
    "Subscription": "rcl_subscription_set_on_new_message_callback",
    "Service": "rcl_service_set_on_new_request_callback",
    "Client": "rcl_client_set_on_new_response_callback",
}


class Watcher(Protocol):
    """Waits for file descriptors: an endpoint, or a Poller."""

    def watch(self, descriptor: int, handler: Callable[[int], None]) -> None:
        """Have `handler` called whenever a file descriptor can be read."""

    def unwatch(self, descriptor: int) -> None:
        """Undo `watch`."""


class Poller:
    """Waits for file descriptors, and for nothing else."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}

    def watch(self, descriptor: int, handler: Callable[[int], None]) -> None:
        """Have `handler` called whenever a file descriptor can be read."""
        self._handlers[descriptor] = handler
        self._epoll.register(descriptor, select.EPOLLIN)

    def unwatch(self, descriptor: int) -> None:
        """Undo `watch`; the descriptor is still open then."""
        del self._handlers[descriptor]
        self._epoll.unregister(descriptor)

    def poll(self, timeout: float) -> bool:
        """Serve what is due, waiting at most `timeout` seconds for it; returns whether there was anything."""
        events = self._epoll.poll(timeout)
        for descriptor, event in events:
            self._handlers[descriptor](event)
        return bool(events)

    def close(self) -> None:
        """Stop waiting; safe to call twice."""
        self._epoll.close()


class Watched:
    """A subscription, service or client of rclpy that is served when something has come for it.

    Args:
        watcher: who waits for it.
        entity: what is watched; it must be in no executor that spins.
        take: takes one message, request or response from it and acts on it; there may be none: a client is told of the
            responses to others too.
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
        # Once rcl has forgotten the descriptor it writes to it no more, and its number may be another's.
        _notify(self._entity, None)
        self._watcher.unwatch(self._descriptor)
        os.close(self._descriptor)

    def _serve(self, event: int) -> None:
        try:
            announced = os.eventfd_read(self._descriptor)
        except BlockingIOError:
            return
        for _ in range(min(announced, BURST)):
            try:
                self._take()
            except Exception:
                logger.exception("ROS: what came cannot be served")
        if announced > BURST:
            os.eventfd_write(self._descriptor, announced - BURST)


def _notify(entity: Any, descriptor: int | None) -> None:
    """Have the middleware make a descriptor readable when something has come; None: no longer.

    `eventfd_write(int, uint64_t)` is called as `callback(const void *user_data, size_t count)`: both pass their two
    arguments in the same registers, on all processors that ROS runs on.
    """
    rcl, eventfd_write = _libraries()
    setter = getattr(rcl, _SETTERS[type(entity).__name__])
    callback = None if descriptor is None else eventfd_write
    with entity.handle:
        if setter(ctypes.c_void_p(entity.handle.pointer), callback, ctypes.c_void_p(descriptor)) != 0:
            raise RuntimeError(f"the ROS middleware cannot tell when a {type(entity).__name__} has something to take")


@cache
def _libraries() -> tuple[ctypes.CDLL, ctypes.c_void_p]:
    """The rcl that rclpy has loaded, and the address of `eventfd_write`."""
    return ctypes.CDLL("librcl.so"), ctypes.cast(ctypes.CDLL(None).eventfd_write, ctypes.c_void_p)
