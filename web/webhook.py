"""The webhook: one message to one address, without ever being led elsewhere.

The address is the operator's own setting, and still it is not trusted: its name is looked up once, every
address that it has must be public, and the connection goes to the very address that was checked. Nothing is
redirected, and nothing of the answer is read but its status and when to come back. A host that the operator
names in ``EVENHAND_ALERT_WEBHOOK_HOSTS`` may be inside and may speak plain http.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 5.0
"""Seconds for everything: looking up, connecting, sending and the status of the answer."""

PORTS = frozenset({80, 443, 8080, 8443})
"""Others only for hosts that the operator allows."""

MOST_READ = 64 * 1024


class NotDelivered(Exception):
    """The message did not arrive; says why in a few words.

    ``later`` is the receiver's ``Retry-After``, as it was sent, or empty.
    """

    def __init__(self, reason: str, *, later: str = "") -> None:
        super().__init__(reason)
        self.later = later


class Gone(NotDelivered):
    """The receiver wants no further message like this one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is read of an answer."""

    status: int
    later: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to call it there."""

    secure: bool
    host: str
    port: int
    path: str
    address: str


def unsealed(body: bytes) -> Mapping[str, str]:  # noqa: ARG001 - what is sent without a signature
    """No further headers."""
    return {}


def deliver(
    url: str,
    document: Mapping[str, Any],
    *,
    allowed: frozenset[str] = frozenset(),
    seal: Callable[[bytes], Mapping[str, str]] = unsealed,
) -> None:
    """Send a message.

    Parameters
    ----------
    allowed
        Hosts that may be inside.
    seal
        Makes the headers that vouch for the body, as it is sent.

    Raises
    ------
    NotDelivered
        If the address may not be used, cannot be reached in time, or does not take the message.
    Gone
        If the receiver says that it never will.
    """
    target = resolve(url, allowed=allowed)
    body = json.dumps(document, ensure_ascii=False).encode()
    connection = _connection(target)
    ending = threading.Timer(PATIENCE, _cut, [connection])
    ending.daemon = True
    ending.start()
    try:
        reply = _send(connection, target, body, seal(body))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise NotDelivered(f"{type(problem).__name__}: {problem}"[:200]) from problem
    finally:
        ending.cancel()
        connection.close()
    if reply.status == http.HTTPStatus.GONE:
        raise Gone("answered 410")
    if not 200 <= reply.status < 300:
        raise NotDelivered(f"answered {reply.status}", later=reply.later)


def resolve(url: str, *, allowed: frozenset[str]) -> Target:
    """Look an address up and check everything that it stands for.

    Raises
    ------
    NotDelivered
        Saying what is wrong with it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise NotDelivered(f"not an address: {problem}") from problem
    inside = host in allowed
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.password:
        raise NotDelivered("not an address: expected https://host/path without a user name")
    if parts.scheme == "http" and not inside:
        raise NotDelivered("plain http only goes to hosts in EVENHAND_ALERT_WEBHOOK_HOSTS")
    port = port or (443 if parts.scheme == "https" else 80)
    if port not in PORTS and not inside:
        raise NotDelivered(f"port {port} is not allowed")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, path, _checked(host, port, inside=inside))


def _checked(host: str, port: int, *, inside: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise NotDelivered("the host is not known") from problem
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise NotDelivered("the host is not known")
    if not inside and not all(is_public(each) for each in addresses):
        raise NotDelivered("the host is not a public one; name it in EVENHAND_ALERT_WEBHOOK_HOSTS")
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address belongs to the open internet.

    Examples
    --------
    >>> [is_public(each) for each in ("93.184.215.14", "127.0.0.1", "::ffff:10.0.0.1", "169.254.169.254")]
    [True, False, False, False]
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if hidden is not None:
            return is_public(str(hidden))
    return address.is_global and not address.is_multicast


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, under the name that was asked for."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=PATIENCE)
        self._target = target

    def connect(self) -> None:
        """Connect; the certificate must be that of the name."""
        plain = socket.create_connection((self._target.address, self._target.port), timeout=PATIENCE)
        self.sock = plain
        if self._target.secure:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self._target.host)


def _connection(target: Target) -> _Pinned:
    return _Pinned(target)


def _send(connection: _Pinned, target: Target, body: bytes, more: Mapping[str, str]) -> Reply:
    """Send, and read no further than the status line; of a refusal its headers, too."""
    headers = {"Content-Type": "application/json", "User-Agent": "evenhand", "Connection": "close", **more}
    connection.request("POST", target.path, body, headers)
    read = b""
    while not _told(read) and len(read) < MOST_READ:
        part = connection.sock.recv(1_024)
        if not part:
            break
        read += part
    first, *lines = read.partition(b"\r\n\r\n")[0].splitlines() or [b""]
    words = first.split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise NotDelivered("the answer is not HTTP")
    return Reply(int(words[1]), _later(lines))


def _told(read: bytes) -> bool:
    """Whether enough of an answer is there: the first line of a yes, and all headers of anything else."""
    first, newline, _ = read.partition(b"\n")
    taken = b"".join(first.split()[1:2]).startswith(b"2")
    return bool(newline) and (taken or b"\r\n\r\n" in read)


def _later(lines: Sequence[bytes]) -> str:
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"retry-after":
            return value.strip().decode("latin-1")[:64]
    return ""


def _cut(connection: _Pinned) -> None:
    """End a connection that takes too long, whatever it waits for."""
    found = connection.sock
    if found is not None:
        try:
            found.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself
