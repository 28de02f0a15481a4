"""What goes wrong between us and a source, in words for the page of the sources."""

import errno
import socket
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, PayloadTooBig

from allmende.domain.errors import AllmendeError


def in_words(error: BaseException, address: str = "") -> str:
    """One line: what happened, and where."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:  # what is no address has no host, and must not hide what went wrong
        host = ""
    at = f" ({host})" if host else ""
    if isinstance(error, AllmendeError):
        return str(error)
    if isinstance(error, httpx.ConnectTimeout):
        return f"The host did not take the connection in time{at}."
    if isinstance(error, httpx.TimeoutException):
        return f"The host did not answer in time{at}."
    if isinstance(error, httpx.ConnectError):
        return _no_connection(error, at)
    if isinstance(error, PayloadTooBig):
        return f"The host sent a larger message than is taken{at}."
    if isinstance(error, ConnectionClosed):
        return f"The host closed the connection{at}: {error}"
    if isinstance(error, InvalidStatus):
        return f"The host answered with {error.response.status_code} {error.response.reason_phrase}{at}."
    if isinstance(error, InvalidHandshake | InvalidURI):
        return f"The host does not speak WebSocket{at}: {error}"
    if isinstance(error, TimeoutError):
        return f"The host did not answer in time{at}."
    if isinstance(error, OSError) and (known := _no_way(error, at)):
        return known
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return f"The connection broke off in the middle of the answer{at}."
    if isinstance(error, httpx.TooManyRedirects):
        return f"The host sends us from address to address{at}."
    if isinstance(error, httpx.HTTPError | OSError):
        return f"The data could not be read{at}: {str(error) or type(error).__name__}"
    return f"The connector failed: {type(error).__name__}: {error}"


def _no_connection(error: httpx.ConnectError, at: str) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and (known := _no_way(cause, at)):
            return known
        cause = cause.__cause__ or cause.__context__
    text = str(error)
    if "Name or service not known" in text or "name resolution" in text or "nodename" in text:
        return f"The host's name is not known here{at}; is there a network?"
    if "CERTIFICATE" in text.upper():
        return f"The host's certificate is not valid{at}."
    return f"There is no connection to the host{at}: {text}"


def _no_way(cause: OSError, at: str) -> str:
    """What the system says of a connection that did not come about, or ""."""
    if isinstance(cause, socket.gaierror):
        return f"The host's name is not known here{at}; is there a network?"
    if isinstance(cause, ConnectionRefusedError):
        return f"The host refused the connection{at}."
    if cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return f"There is no way to the host{at}; is there a network?"
    return ""
