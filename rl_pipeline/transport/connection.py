"""TCP connection of one player: socket, outbox, outstanding requests and registrations, which end with it."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import time
from collections.abc import Callable
from typing import Final

from rl_pipeline.plurals import plural
from rl_pipeline.transport.allowance import Allowance
from rl_pipeline.transport.frames import FrameError, encode_command, encode_frame, encode_request
from rl_pipeline.transport.outbox import DEPTH, Outbox
from rl_pipeline.transport.protocol import TABLES, Event, PlayerId, Response, ServerProtocol, Table
from rl_pipeline.transport.response_slot import ResponseSlot
from rl_pipeline.transport.socket_options import acknowledge, configure
from rl_pipeline.transport.traffic import Traffic

logger = logging.getLogger(__name__)

RECEIVE_SIZE: Final = 2**18


class Connection:
    """A connected player.

    Args:
        sock: connected socket.
        player: identifies the connection.
        poller: calls `serve_poller` when the socket can be read, or written to.
        allowance: limits, and resources shared with other connections.
        needs_token: whether the first frame must be a token.
        on_event: takes every event except responses.
        on_close: called once, before the socket is closed.

    Attributes:
        id: identifies the connection.
        peer: address of the other end, for messages.
        tables: registered names and their types, by table.
        services: the table of Unity services that the player offers.
        publishers: the table of topics that it publishes.
        subscribers: the table of topics that it subscribes to.
        ros_services: the table of ROS services that it calls.
        latched: last message of each published topic that is latched, for later subscribers.
        calls: outstanding requests by srv_id, each with the function that takes the payload (None: it failed).
        slot: the outstanding batched request, of which there is at most one.
        depths: messages of a topic that wait at most for a slow peer, where it is not `DEPTH`.
        traffic: counters of messages and bytes.
        admitted: whether the peer is served; False until it has sent the token, where there is one.
        is_player: whether this process has called a service of it; strangers get less (see `Limits`).
        opened: when the connection was accepted, on the monotonic clock, s.
        heard: whether something was received since `last_heard`, s, was last set.
    """

    def __init__(
        self,
        sock: socket.socket,
        player: PlayerId,
        poller: select.epoll,
        allowance: Allowance,
        *,
        needs_token: bool,
        on_event: Callable[[Connection, Event], None],
        on_close: Callable[[Connection], None],
    ) -> None:
        self.id = player
        self.peer = player.peer
        self.tables: dict[Table, dict[str, str]] = {table: {} for table in TABLES}
        self.services = self.tables["services"]
        self.publishers = self.tables["publishers"]
        self.subscribers = self.tables["subscribers"]
        self.ros_services = self.tables["ros_services"]
        self.latched: dict[str, bytes | None] = {}
        self.calls: dict[int, Callable[[bytes | None], None]] = {}
        self.slot: ResponseSlot | None = None
        self.depths: dict[str, int] = {}
        self.traffic = Traffic()
        self.open = True
        self.admitted = not needs_token
        self.is_player = False
        self.opened = self.last_heard = time.monotonic()
        self.heard = False
        self._errors = 0
        self._kept = 0
        self._allowance = allowance
        self._on_event = on_event
        self._on_close = on_close
        self._poller = poller
        self._socket = sock
        self._protocol = ServerProtocol(needs_token=needs_token, max_payload=allowance.limits.stranger_payload)
        self._reader = self._protocol.reader
        self._outbox = Outbox()
        configure(sock)

    def fileno(self) -> int:
        """Return the file descriptor of the socket."""
        return self._socket.fileno()

    @property
    def between_messages(self) -> bool:
        """True if no bytes wait to be sent, and no frame was received in part."""
        return not self._outbox and not self._reader

    @property
    def registered(self) -> bool:
        """True if the peer has registered a topic or service."""
        return any(self.tables.values())

    def admit(self) -> None:
        """Serve this peer from now on: it has sent the token."""
        self.admitted = True
        self._protocol.admit(self._allowance.limits.stranger_payload)

    def become_player(self) -> None:
        """Grant the limits of a player: this process calls a service of the peer, so its data is asked for."""
        self.is_player = True
        self._reader.max_payload = self._allowance.limits.payload
        self._allowance.memory.release(self)

    def keep(self, size: int) -> None:
        """Count `size` more bytes (fewer, if negative) that are kept for as long as the connection is open."""
        self._kept += size
        self._account()

    @property
    def queue_age(self) -> float:
        """Seconds for which the oldest frame in the outbox has waited."""
        return self._outbox.age

    def request(self, service: str, payload: bytes, srv_id: int, resolve: Callable[[bytes | None], None]) -> None:
        """Send a request; `resolve` gets the response's payload, or None if the player is lost before it answers."""
        self.calls[srv_id] = resolve
        self.traffic.sent(len(payload))
        self.send(encode_request(service, payload, srv_id))

    def send(self, data: bytes | memoryview) -> None:
        """Send whole frames, in order; bytes that the kernel does not take now wait and are sent when it can."""
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
        # The kernel's buffer is full: keep the rest and ask to be called when there is room.
        self._outbox.put(memoryview(data)[sent:])
        self._poller.modify(self.fileno(), select.EPOLLIN | select.EPOLLOUT)
        self._account()

    def send_message(self, topic: str, payload: bytes) -> None:
        """Send a topic's message; while the peer is behind, it replaces an older one that waits."""
        data = encode_frame(topic, payload)
        self.traffic.sent(len(data))
        if not self._outbox:
            self.send(data)
        elif self.open:
            depth = self.depths.get(topic, DEPTH)
            self.traffic.dropped += self._outbox.put_message(topic, data, depth)
            self._account()

    def error(self, text: str) -> None:
        """Log an error of this peer and send it to the peer (Unity shows it on its console)."""
        self._allowance.log.log(logging.ERROR, "player %s: %s", self.peer, text)
        self.send(encode_command("__error", text=text))
        self._errors += 1
        if self._errors >= self._allowance.limits.errors and not self.is_player:
            self.evict(f"made {self._errors} {plural(self._errors, 'error')}")

    def refuse(self, text: str) -> None:
        """Send the peer the reason why it is not served, and close the connection."""
        self._allowance.rejections.append(f"{self.peer}: {text}")
        self.send(encode_command("__error", text=text))
        self.evict(text)

    def evict(self, reason: str) -> None:
        """Close the connection of a peer that may not stay."""
        self.close(reason, logging.WARNING)

    def serve_poller(self, event: int) -> None:
        """Serve an event of the poller. Errors of this peer end here and never reach another's."""
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
        self._allowance.log.log(level, "player %s: %s; closed", self.peer, reason)
        # Registrations are withdrawn before callers learn that their requests failed.
        self._allowance.memory.release(self)
        self._on_close(self)
        with contextlib.suppress(OSError):
            self._socket.close()
        if self.slot is not None:
            self.slot.fail()
            self.slot = None
        while self.calls:
            self.calls.pop(next(iter(self.calls)))(None)

    def take_back(self, data: memoryview) -> None:
        """Cut bytes into frames that a slot received, but that are not its response."""
        try:
            self._dispatch(data)
        except Exception as error:
            self._break_off(error)

    def _break_off(self, error: Exception) -> None:
        """Close the connection for an error in serving it."""
        if isinstance(error, FrameError):
            self._allowance.rejections.append(f"{self.peer}: {error}")
            self.close(f"malformed frame: {error}", logging.ERROR)
        elif isinstance(error, OSError):
            self.close(f"connection lost: {error}")
        else:
            logger.error("player %s: internal error", self.peer, exc_info=error)
            self.close("internal error")

    def _receive(self) -> None:
        self.heard = True
        # Receive into the slot if it knows the response's form, and no other frame has begun.
        slot = self.slot
        if slot is not None and not self._reader and (free := slot.free()) is not None:
            size = self._socket.recv_into(free)
            if size == 0:
                self.close("closed by the player")
                return
            spilled = slot.received(size)
            if spilled is not None:
                self._dispatch(spilled)
            if self.slot is not None and self.open:
                acknowledge(self._socket)
            return
        # Otherwise cut frames from the stream.
        data = self._socket.recv(RECEIVE_SIZE)
        if not data:
            self.close("closed by the player")
            return
        self._dispatch(data)
        if self.open and not self._waits_for_request:
            acknowledge(self._socket)

    @property
    def _waits_for_request(self) -> bool:
        """True if the peer sends nothing until the next request, which acknowledges its last bytes."""
        unfinished = self._reader or self._protocol.announced or self.slot or self.calls
        return self.is_player and not (unfinished or self.publishers or self.ros_services)

    def _dispatch(self, data: bytes | memoryview) -> None:
        for event in self._protocol.receive(data):
            if isinstance(event, Response):
                self._on_response(event)
            else:
                self._on_event(self, event)
            if not self.open:
                return
        self._account()

    def _account(self) -> None:
        """Report the memory that this connection takes, except a player's, which takes as much as it needs."""
        if self.open and not self.is_player:
            self._allowance.memory.hold(self, len(self._reader) + len(self._outbox) + self._kept)

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._outbox.flush(self._socket.send)
        if not self._outbox:
            self._poller.modify(self.fileno(), select.EPOLLIN)
        self._account()

    def _on_response(self, response: Response) -> None:
        """Hand a response to its caller; log one whose caller no longer waits."""
        srv_id, destination, payload = response
        if self.slot is not None and self.slot.srv_id == srv_id:
            slot = self.slot
            self.slot = None
            slot.complete(destination, payload)
        elif (resolve := self.calls.pop(srv_id, None)) is not None:
            self.traffic.received(len(payload))
            resolve(payload)
        else:
            text = "player %s: response %d, which nobody waits for"
            self._allowance.log.log(logging.WARNING, text, self.peer, srv_id)
