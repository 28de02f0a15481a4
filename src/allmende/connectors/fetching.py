"""How a connector's ``fetch`` asks the network: one policy of time, size and secrets for all of them.

No proxy and no certificate of the machine's environment is used: where a city's data comes from is decided by its
profile. Secrets are read where they are used, and appear in no error.
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

import httpx

import allmende
from allmende.connectors.network import Guard, GuardedTransport
from allmende.domain.addresses import hide_secrets
from allmende.domain.connector import Source
from allmende.domain.errors import AllmendeError, ConfigurationError
from allmende.domain.framing import MAX_BYTES

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
TOTAL_SECONDS = 120.0
_SHORTEST = 4
"""Signs of a secret that is looked for in texts; a shorter one would be found in any word."""
PUBLIC_ONLY = "public_only"
"""Setting of a source whose address was named by somebody who is not the operator: no host in a network of the house's
own is asked."""
USER_AGENT = f"allmende/{allmende.__version__} (open urban data platform)"
_IN_A_ROW = 3
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
# as it is written, or as a library for addresses writes it
_IN_ADDRESS = re.compile(r"(?:\$|%24)(?:\{|%7B)([A-Z0-9_]+)(?:\}|%7D)", re.IGNORECASE)


class FetchError(AllmendeError):
    """A source that did not give what it was asked for, in plain words."""


class Client(httpx.Client):
    """Asks for one source. ``known``: the values of the variables that the source's own address names."""

    def __init__(self, source: Source, read_seconds: float) -> None:
        self.guard = Guard(public_only=source.settings.get(PUBLIC_ONLY) is True)
        self.known = _of_address(source)
        super().__init__(
            timeout=httpx.Timeout(read_seconds, connect=min(CONNECT_SECONDS, read_seconds)),
            headers={"User-Agent": USER_AGENT, "Accept": "*/*", **headers(source)},
            # a header that holds a secret must not go along to where somebody else sends us
            follow_redirects=not source.headers,
            max_redirects=5,
            trust_env=False,
            transport=GuardedTransport(self.guard),
        )


def open_client(source: Source, *, read_seconds: float = READ_SECONDS) -> httpx.Client:
    """A client with the source's headers. Raises ConfigurationError where a variable that they or the source's address
    name is not set."""
    return Client(source, read_seconds)


def filled_address(source: Source) -> str:
    """The source's address with the values of the variables that it names: to connect to, never to be shown.

    For WebSockets, whose library knows no guard: raises ConfigurationError for a source that the operator did not make.
    """
    if source.settings.get(PUBLIC_ONLY) is True:
        where = f"sources.{source.id}.address"
        raise ConfigurationError("a source that was not made by the operator cannot be listened to", where=where)
    return _fill(source.address, _of_address(source))


def _of_address(source: Source) -> dict[str, str]:
    names = _IN_ADDRESS.findall(source.address)
    return {name: _variable(source, name, f"sources.{source.id}.address") for name in names}


def _fill(address: str, known: Mapping[str, str]) -> str:
    """What an answer names (a next page) may hold the source's own variables, and no others."""

    def value(match: re.Match[str]) -> str:
        return quote(known[match[1]], safe="") if match[1] in known else match[0]

    return _IN_ADDRESS.sub(value, address) if known else address


def headers(source: Source) -> dict[str, str]:
    """The source's headers, with the values of the variables that they name."""

    def value(match: re.Match[str]) -> str:
        return _variable(source, match.group(1), f"sources.{source.id}.headers")

    return {name: _PLACEHOLDER.sub(value, text) for name, text in source.headers.items()}


def secret(source: Source, name: str) -> str:
    """What the environment variable holds that the profile names for a secret of the manifest.

    Raises ConfigurationError where the profile names none, or it is not set.
    """
    where = f"sources.{source.id}.secrets.{name}"
    variable = source.secrets.get(name)
    if variable is None:
        raise ConfigurationError("the profile has to name an environment variable here, e.g. SOURCE_TOKEN", where=where)
    return _variable(source, variable, where)


def without_secrets(source: Source, text: str) -> str:
    """What went wrong, in words that others may see: without the secrets of the source and of its address."""
    names = [*_IN_ADDRESS.findall(source.address), *source.secrets.values()]
    names += [name for header in source.headers.values() for name in _PLACEHOLDER.findall(header)]
    for name in names:
        value = os.environ.get(name, "")
        for form in (value, quote(value, safe="")) if len(value) >= _SHORTEST else ():
            text = text.replace(form, f"${{{name}}}")
    return hide_secrets(text)


def _variable(source: Source, name: str, where: str) -> str:
    if source.settings.get(PUBLIC_ONLY) is True:
        # who is not the operator could send the secrets of others to an address of their own
        raise ConfigurationError(
            "a source that was not made by the operator names no environment variable", where=where
        )
    text = os.environ.get(name, "") if name.startswith("SOURCE_") else ""
    if not text:
        raise ConfigurationError(f"the environment variable {name} is not set", where=where)
    return text


class Patience:
    """For a ``fetch`` that asks for many parts: one that fails takes no other along, but is told in the end.

        patience = Patience()
        for part in parts:
            with patience:
                yield …
        patience.end()

    Three failures in a row end it at once: then it is the host, and each further part would wait as long.
    """

    def __init__(self) -> None:
        self._first: Exception | None = None
        self._in_a_row = 0

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if error is None:
            self._in_a_row = 0
        if not isinstance(error, httpx.HTTPError | FetchError):
            return False
        self._first = self._first or error
        self._in_a_row += 1
        return self._in_a_row < _IN_A_ROW

    def end(self) -> None:
        """Raise the first failure, if there was one."""
        if self._first is not None:
            raise self._first


def read(
    client: httpx.Client,
    address: str,
    *,
    method: str = "GET",
    max_bytes: int = MAX_BYTES,
    total_seconds: float = TOTAL_SECONDS,
    **request: Any,
) -> bytes:
    """The body of an answer within bounds of size and time. Raises httpx's errors, FetchError for other than 2xx.

    ``request`` goes to ``httpx.Client.stream``: ``headers``, ``params``, ``data``, ``json``, ``auth``.
    """
    body, _ = exchange(client, address, method=method, max_bytes=max_bytes, total_seconds=total_seconds, **request)
    if body is None:
        raise FetchError("The host says that nothing has changed (304), which it was not asked.")
    return body


def exchange(
    client: httpx.Client,
    address: str,
    *,
    method: str = "GET",
    max_bytes: int = MAX_BYTES,
    total_seconds: float = TOTAL_SECONDS,
    **request: Any,
) -> tuple[bytes | None, Mapping[str, str]]:
    """Body and headers of an answer; the body is None, and there are no headers, where it has not changed (304).

    Raises httpx's errors, FetchError. ``total_seconds`` bounds all of it, from the connection to the last byte.
    """
    body = bytearray()
    known = _ask(client, method, address, request, max_bytes, total_seconds, body.extend)
    return (None if known is None else bytes(body)), known or {}


def download(
    client: httpx.Client, address: str, file: BinaryIO, *, max_bytes: int, total_seconds: float, **request: Any
) -> Mapping[str, str] | None:
    """Write the body of an answer into a file, and give its headers; None where it has not changed (304). Raises as
    :func:`exchange` does."""
    return _ask(client, "GET", address, request, max_bytes, total_seconds, file.write)


def _ask(
    client: httpx.Client,
    method: str,
    address: str,
    request: Mapping[str, Any],
    max_bytes: int,
    total_seconds: float,
    take: Callable[[bytes], object],
) -> Mapping[str, str] | None:
    until = time.monotonic() + total_seconds
    if isinstance(client, Client):
        address = _fill(address, client.known)
        client.guard.until, client.guard.home = until, urlsplit(address).hostname or ""
    try:
        return _answer(client, method, address, request, max_bytes, take)
    except httpx.TimeoutException:
        if time.monotonic() < until:
            raise
        raise FetchError(f"The answer did not come to its end within {total_seconds:g} seconds.") from None


def _answer(
    client: httpx.Client,
    method: str,
    address: str,
    request: Mapping[str, Any],
    max_bytes: int,
    take: Callable[[bytes], object],
) -> Mapping[str, str] | None:
    with client.stream(method, address, **request) as response:
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None
        if not response.is_success:
            raise FetchError(f"The host answered with {response.status_code} {response.reason_phrase}.")
        taken = 0
        for chunk in response.iter_bytes():
            taken += len(chunk)
            if taken > max_bytes:
                raise FetchError(f"The answer is larger than {max_bytes:,} bytes and was not taken.")
            take(chunk)
        return response.headers
