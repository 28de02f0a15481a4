"""The way to a host, kept within bounds: how long an answer takes as a whole, and where a redirect may lead.

httpx bounds each wait for a byte, not their sum: a host that sends one every few seconds would hold its asker for days.
And who answers an operator's address may send its asker to another one: to the machine itself, to a cloud's metadata
service, to a device in the house's own network. Only the operator leads there, by naming the host.
"""

import ssl
import time
from collections.abc import Iterable
from ipaddress import ip_address
from socket import SOCK_STREAM, gaierror, getaddrinfo
from typing import Any

import httpcore
import httpx


class Guard(httpcore.NetworkBackend):
    """Opens connections. ``until`` (monotonic seconds) ends every wait; ``home`` is the host that was named.

    With ``public_only`` the host that was named has to be a public one too: it was named by somebody who is not the
    operator.
    """

    def __init__(self, *, public_only: bool = False) -> None:
        self._public_only = public_only
        self._backend = httpcore.SyncBackend()
        self.until = float("inf")
        self.home = ""

    def left(self, timeout: float | None) -> float:
        """Seconds to wait at most. Raises httpcore.ReadTimeout where there are none left."""
        rest = self.until - time.monotonic()
        if rest <= 0:
            raise httpcore.ReadTimeout("the answer did not come to its end in time")
        return rest if timeout is None else min(rest, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection; to a host that was not named by its public address alone. Raises httpcore.ConnectError."""
        # the address that was looked at is the one that is connected to: a name may mean another one a moment later
        if host != self.home:
            place = _public(host, port, "we are sent on to {host}, which is no public address")
        else:
            place = _public(host, port, "{host} is no public address") if self._public_only else host
        stream = self._backend.connect_tcp(place, port, self.left(timeout), local_address, socket_options)
        return _Stream(stream, self)

    def sleep(self, seconds: float) -> None:
        """Between two attempts of a connection."""
        self._backend.sleep(self.left(seconds))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, guard: Guard) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._guard.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._guard.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._guard.left(timeout)), self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _public(host: str, port: int, words: str) -> str:
    try:
        found = [str(entry[4][0]) for entry in getaddrinfo(host, port, type=SOCK_STREAM)]
    except (gaierror, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    for address in found:
        if not ip_address(address.partition("%")[0]).is_global:
            raise httpcore.ConnectError(words.format(host=host))
    return found[0]


class GuardedTransport(httpx.HTTPTransport):
    """httpx's own, over a guard's connections; no proxy and no certificate of the machine's environment."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(trust_env=False)
        # httpx offers no other way to a backend of one's own; the rest of its transport stays as it is
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=guard
        )
