"""One player's TCP connection, as the endpoint holds it: all state that the stream needs is here and dies with it."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rl_pipeline.plurals import plural
from rl_pipeline.transport.frames import MAX_TOKEN_PAYLOAD, Frame, FrameError, FrameReader, encode_command, encode_frame
from rl_pipeline.transport.outbox import Outbox
from rl_pipeline.transport.protocol import ResponseSlot
from rl_pipeline.transport.traffic import Traffic

if TYPE_CHECKING:
    from rl_pipeline.transport.endpoint import Endpoint

logger = logging.getLogger(__name__)

RECEIVE_SIZE: Final = 2**18
DEPTH: Final = 10
"""Messages of a topic that wait for a slow peer, unless its subscription says otherwise."""
MAX_UNSENT: Final = 2**18
"""Bytes that the kernel takes ahead of what it sends: what waits there cannot be replaced by something newer."""

# Whether the other end is still there is asked of its kernel, which answers however busy the player is: a connection
# whose machine is gone is lost after 5 + 3 * 2 s of silence, or after 30 s with something unacknowledged.
_PROBES: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
)
# Python 3.11 does not name the option.
_NOTSENT_LOWAT: Final[int] = getattr(socket, "TCP_NOTSENT_LOWAT", 25)

# Linux only, and not sticky: the kernel forgets it after some packets, so it is set again with each receive.
QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Connection:
    """A connected player: what it registered, what it was asked, and what waits to be sent.

    Attributes:
        peer: address of the other end, for messages.
        services: Unity services offered here, name to type.
        publishers: topics the player publishes, name to type.
        subscribers: topics the player wants, name to type.
        latched: the last message, kept for later subscribers, of those of the published topics that want it.
        ros_services: ROS services the player said it will call, name to type.
        calls: outstanding requests by srv_id, each with the function that takes the payload (None: it failed).
        slot: the outstanding batched request, of which there is at most one.
        depths: how many messages of a topic wait at most when the peer reads too slowly, where it is not DEPTH.
        traffic: what came and went so far.
        admitted: whether the peer is served; False until it has sent the token, where there is one.
        is_player: whether this process has called a service of it. Strangers get less of everything (see limits.py).
        opened: when the connection was accepted, on the monotonic clock, s.
        heard: whether something was received since `last_heard`, s, was last set.
    """

    def __init__(self, sock: socket.socket, peer: str, endpoint: Endpoint) -> None:
        self.peer = peer
        self.services: dict[str, str] = {}
        self.publishers: dict[str, str] = {}
        self.subscribers: dict[str, str] = {}
        self.ros_services: dict[str, str] = {}
        self.latched: dict[str, bytes | None] = {}
        self.calls: dict[int, Callable[[bytes | None], None]] = {}
        self.slot: ResponseSlot | None = None
        self.depths: dict[str, int] = {}
        self.traffic = Traffic()
        self.open = True
        # What the next frame belongs to: `__request` and `__response` announce the frame behind them.
        self.announced: tuple[str, int] | None = None
        self.admitted = not endpoint.admission.needs_token
        self.is_player = False
        self.opened = self.last_heard = time.monotonic()
        self.heard = False
        self._errors = 0
        self._kept = 0
        self._endpoint = endpoint
        self._socket = sock
        self._reader = FrameReader(endpoint.limits.stranger_payload if self.admitted else MAX_TOKEN_PAYLOAD)
        self._outbox = Outbox()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, MAX_UNSENT)
        for level, option, value in _PROBES:
            sock.setsockopt(level, option, value)

    def fileno(self) -> int:
        """File descriptor of the socket."""
        return self._socket.fileno()

    @property
    def between_messages(self) -> bool:
        """Whether nothing is under way: no bytes wait to be sent, and no frame was received in part."""
        return not self._outbox and not self._reader

    @property
    def registered(self) -> bool:
        """Whether the peer has said what it offers or wants."""
        return bool(self.services or self.publishers or self.subscribers or self.ros_services)

    def admit(self) -> None:
        """Serve this peer from now on."""
        self.admitted = True
        self._reader.max_payload = self._endpoint.limits.stranger_payload

    def become_player(self) -> None:
        """Count the peer as a player: this process calls a service of it, so what it sends has been asked for."""
        self.is_player = True
        self._reader.max_payload = self._endpoint.limits.payload
        self._endpoint.memory.release(self)

    def keep(self, size: int) -> None:
        """Count `size` more bytes (less, if negative) that stay here as long as the connection does."""
        self._kept += size
        self._account()

    @property
    def queue_age(self) -> float:
        """Seconds that the oldest of what waits to be sent has waited."""
        return self._outbox.age

    def send(self, data: bytes | memoryview) -> None:
        """Send whole frames, in order; what the kernel does not take now waits and is sent when it can."""
        if not self.open:
            return
        sent = 0
        if not self._outbox:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                pass
            except OSError as error:
                self.close(f"send failed: {error}")
                return
            if sent == len(data):
                return
        self._outbox.put(memoryview(data)[sent:])
        self._endpoint.watch_writable(self, True)
        self._account()

    def send_message(self, topic: str, payload: bytes) -> None:
        """Send a topic's message; when the peer is behind, it takes the place of an older one that waits."""
        data = encode_frame(topic, payload)
        self.traffic.sent(len(data))
        if not self._outbox:
            self.send(data)
        elif self.open:
            depth = self.depths.get(topic, DEPTH)
            self.traffic.dropped += self._outbox.put_message(topic, data, depth)
            self._account()

    def error(self, text: str) -> None:
        """Log an error of this peer, and tell it (Unity shows it on its console)."""
        self._endpoint.log.log(logging.ERROR, "player %s: %s", self.peer, text)
        self.send(encode_command("__error", text=text))
        self._errors += 1
        if self._errors >= self._endpoint.limits.errors and not self.is_player:
            self.evict(f"made {self._errors} {plural(self._errors, 'error')}")

    def refuse(self, text: str) -> None:
        """Tell the peer why it is not served, and close the connection."""
        self._endpoint.rejections.append(f"{self.peer}: {text}")
        self.send(encode_command("__error", text=text))
        self.evict(text)

    def evict(self, reason: str) -> None:
        """Close the connection of a peer that may not stay."""
        self.close(reason, logging.WARNING)

    def on_event(self, event: int) -> None:
        """Serve what the poller found. Errors of this peer end here and never reach another's."""
        try:
            if event & ~select.EPOLLOUT:
                self._receive()
            if event & select.EPOLLOUT and self.open:
                self._flush()
        except BlockingIOError:
            pass  # the event was of an earlier connection with the same descriptor, closed while it was served
        except Exception as error:
            self._break_off(error)

    def close(self, reason: str, level: int = logging.DEBUG) -> None:
        """Close the socket and fail everything outstanding; safe to call twice."""
        if not self.open:
            return
        self.open = False
        self._endpoint.log.log(level, "player %s: %s; closed", self.peer, reason)
        self._endpoint.forget(self)
        with contextlib.suppress(OSError):
            self._socket.close()
        if self.slot is not None:
            self.slot.fail()
            self.slot = None
        calls, self.calls = self.calls, {}
        for resolve in calls.values():
            resolve(None)

    def _break_off(self, error: Exception) -> None:
        """Close the connection for an error in serving it."""
        if isinstance(error, FrameError):
            self._endpoint.rejections.append(f"{self.peer}: {error}")
            self.close(f"malformed frame: {error}", logging.ERROR)
        elif isinstance(error, OSError):
            self.close(f"connection lost: {error}")
        else:
            logger.error("player %s: internal error", self.peer, exc_info=error)
            self.close("internal error")

    def _receive(self) -> None:
        self.heard = True
        slot = self.slot
        if slot is not None and not self._reader and (free := slot.free()) is not None:
            size = self._socket.recv_into(free)
            if size == 0:
                self.close("closed by the player")
                return
            spilled = slot.received(size)
            if spilled is not None:
                self._dispatch(spilled)
            if self.slot is not None:
                self._acknowledge()
            return
        data = self._socket.recv(RECEIVE_SIZE)
        if not data:
            self.close("closed by the player")
            return
        self._dispatch(data)
        if not self._waits_for_request:
            self._acknowledge()

    @property
    def _waits_for_request(self) -> bool:
        """Whether the peer has nothing to say until the next request, which acknowledges what it has said."""
        unfinished = self._reader or self.announced or self.slot or self.calls
        return self.is_player and not (unfinished or self.publishers or self.ros_services)

    def _acknowledge(self) -> None:
        """Acknowledge at once what was received, since the peer may hold back the rest of its message until then.

        A real connector writes each field separately, with Nagle's algorithm on: the kernel's delay of 40 ms would
        delay each message by as much. A response that is whole needs it not: the next request acknowledges it.
        """
        if QUICKACK is not None and self.open:
            self._socket.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    def _dispatch(self, data: bytes | memoryview) -> None:
        for frame in self._reader.feed(data):
            if self.admitted:
                self._endpoint.graph.on_frame(self, frame)
            else:
                self._endpoint.admission.check(self, frame)
            if not self.open:
                return
        self._account()

    def _account(self) -> None:
        """Say how much memory this connection takes, unless a player's, which takes what it needs."""
        if self.open and not self.is_player:
            self._endpoint.memory.hold(self, len(self._reader) + len(self._outbox) + self._kept)

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._outbox.flush(self._socket.send)
        if not self._outbox:
            self._endpoint.watch_writable(self, False)
        self._account()

    def take_back(self, data: memoryview) -> None:
        """Cut into frames what a slot received, but does not take for its response."""
        try:
            self._dispatch(data)
        except Exception as error:
            self._break_off(error)

    def on_response(self, srv_id: int, frame: Frame) -> None:
        """Hand a response to whoever waits for it; one that nobody waits for any more is only logged."""
        if self.slot is not None and self.slot.srv_id == srv_id:
            slot, self.slot = self.slot, None
            slot.complete(frame.destination, frame.payload)
        elif (resolve := self.calls.pop(srv_id, None)) is not None:
            self.traffic.received(len(frame.payload))
            resolve(frame.payload)
        else:
            text = "player %s: response %d, which nobody waits for"
            self._endpoint.log.log(logging.WARNING, text, self.peer, srv_id)
