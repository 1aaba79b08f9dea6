"""Listening sockets of an endpoint, and the addresses that they are bound to."""

from __future__ import annotations

import errno
import ipaddress
import logging
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rl_pipeline.errors import InputError

RESOLVE_TIMEOUT: Final = 5.0
"""Seconds that a name server may take."""
BACKLOG: Final = 1024

_ADVICE: Final = {
    errno.EADDRINUSE: "stop the program that uses it, name another port, or set ros.tcp_port=0 for any free one",
    errno.EADDRNOTAVAIL: "name an address of this machine, 127.0.0.1 for itself alone, or 0.0.0.0 for all of them",
    errno.EAFNOSUPPORT: "this machine has no IPv6 (or no IPv4): use 127.0.0.1 or ::1",
    errno.EACCES: "ports below 1024 are reserved: name a greater one",
}


@dataclass(frozen=True)
class Address:
    """A numeric IP address to listen on.

    Attributes:
        family: AF_INET or AF_INET6.
        host: the address as text; an IPv6 one without brackets.
    """

    family: socket.AddressFamily
    host: str

    @property
    def is_loopback(self) -> bool:
        """True if only this machine can reach it."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def reachable(self) -> str:
        """Address that players on this machine connect to: loopback if all addresses are listened on."""
        if not ipaddress.ip_address(self.host).is_unspecified:
            return self.host
        return "::1" if self.family == socket.AF_INET6 else "127.0.0.1"

    def listen(self, port: int) -> socket.socket:
        """Open a non-blocking listening socket; port 0 is any free one.

        Raises:
            InputError: the address cannot be listened on.
        """
        # A family that the machine does not have fails here, an address or port at `bind`.
        try:
            listener = socket.socket(self.family, socket.SOCK_STREAM)
        except OSError as error:
            raise self._unusable(port, error) from None
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.family == socket.AF_INET6:
                # With this option off `::` accepts IPv4 too; the default differs between systems.
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind((self.host, port))
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise self._unusable(port, error) from None
        return listener

    def _unusable(self, port: int, error: OSError) -> InputError:
        advice = _ADVICE.get(error.errno or 0, "use 127.0.0.1 and ros.tcp_port=0")
        return InputError(
            f"ros.tcp_ip, ros.tcp_port: cannot listen on {host_and_port(self.host, port)} ({error.strerror}); {advice}"
        )


def resolve(host: str, timeout: float = RESOLVE_TIMEOUT) -> Address:
    """Look up a host name or a numeric address; of several addresses return the first.

    Raises:
        InputError: there is no such host, or the name server did not answer within `timeout` seconds.
    """
    answers: list[Address | OSError | UnicodeError] = []

    def ask() -> None:
        try:
            family, *_, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            answers.append(Address(family, str(address[0]).partition("%")[0]))
        except (OSError, UnicodeError) as error:
            answers.append(error)

    # A look-up cannot be interrupted: one that takes too long is left to end by itself, in a thread of its own.
    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(timeout)
    if not answers:
        raise InputError(
            f"ros.tcp_ip: the address of {host!r} was not found out within {timeout:g} s (name server too slow); "
            "name a numeric address, such as 127.0.0.1"
        )
    # The address, or the error of the look-up.
    answer = answers[0]
    if isinstance(answer, Address):
        return answer
    reason = answer.strerror if isinstance(answer, OSError) else "not a host name"
    raise InputError(
        f"ros.tcp_ip: {host!r} is no host that can be found ({reason}); name an address of this machine, 127.0.0.1 for "
        "itself alone, or 0.0.0.0 for all of them"
    )


def host_and_port(host: str, port: int) -> str:
    """Join host and port as text, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


logger = logging.getLogger(__name__)

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listeners:
    """Accepts connections on any number of ports.

    Args:
        poller: listening sockets are registered here.
        welcome: called with each new connection and the address of its other end.
    """

    def __init__(self, poller: select.epoll, welcome: Callable[[socket.socket, str], None]) -> None:
        self._poller = poller
        self._welcome = welcome
        self._sockets: list[socket.socket] = []
        self._paused: list[socket.socket] = []
        self._exhausted = False

    def open(self, address: Address, port: int) -> socket.socket:
        """Listen on one more port. Raises `InputError` if the address cannot be listened on."""
        listener = address.listen(port)
        self._sockets.append(listener)
        self._poller.register(listener.fileno(), select.EPOLLIN)
        return listener

    def accept(self, listener: socket.socket) -> None:
        """Accept one waiting connection."""
        try:
            sock, address = listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            self._cannot_accept(listener, error)
            return
        self._exhausted = False
        self._welcome(sock, host_and_port(address[0], address[1]))

    def resume(self) -> None:
        """Resume listening after a pause for lack of file descriptors."""
        while self._paused:
            self._poller.modify(self._paused.pop().fileno(), select.EPOLLIN)

    def close(self) -> None:
        """Stop listening."""
        for listener in self._sockets:
            listener.close()
        self._sockets.clear()
        self._paused.clear()

    def _cannot_accept(self, listener: socket.socket, error: OSError) -> None:
        if error.errno not in _EXHAUSTED:
            logger.debug("a connection was lost before it was accepted: %s", error)
            return
        # The connection still waits: without a pause the poller would report it again at once, without end.
        self._poller.modify(listener.fileno(), 0)
        self._paused.append(listener)
        if not self._exhausted:
            self._exhausted = True
            logger.error(
                "no connection can be accepted for now (%s); allow more files with `ulimit -n`", error.strerror
            )
