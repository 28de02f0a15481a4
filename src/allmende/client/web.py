"""Requests to a house, with patience where it asks for it, and its words where something is wrong."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from allmende.client.errors import HouseError, Missing, NotNow, Refused, Unreachable, WrongInput

ATTEMPTS = 3
PATIENCE = 15.0
"""Seconds that are waited at most where the house says when to ask again."""


class Web:
    """One house's address, with a connection that is kept open."""

    def __init__(
        self, address: str, token: str, timeout: float, transport: httpx.BaseTransport | None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        if not _is_web_address(address):
            raise WrongInput(f"{address!r} is no address of a house; one begins with https:// or http://")
        headers = {"User-Agent": "allmende-client", "Accept-Language": "en"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._sleep = sleep
        self.client = httpx.Client(
            base_url=address.rstrip("/"), headers=headers, timeout=timeout, transport=transport, follow_redirects=False
        )

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """What is answered, as JSON."""
        return self.ask("GET", path, params=parameters).json()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """An answer that is none of a mistake; asked again where the house wants that."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self.client.request(method, _own(path), **more)
            except httpx.InvalidURL as error:
                raise WrongInput(f"{path} is no address: {error}") from None
            except httpx.HTTPError as error:
                raise Unreachable(f"{self.client.base_url} does not answer: {error}") from None
            trouble = trouble_of(answer)
            if trouble is None:
                return answer
            if not isinstance(trouble, NotNow) or attempt == ATTEMPTS or trouble.seconds > PATIENCE:
                raise trouble
            self._sleep(trouble.seconds)
        raise AssertionError("unreachable")

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """An answer whose body is read piece by piece."""
        try:
            with self.client.stream("GET", _own(path), headers=dict(headers)) as answer:
                if answer.status_code not in (206, 304, 416) and answer.is_error:
                    answer.read()
                trouble = trouble_of(answer) if answer.status_code not in (304, 416) else None
                if trouble is not None:
                    raise trouble
                yield answer
        except httpx.HTTPError as error:
            raise Unreachable(f"{path} broke off: {error}") from None


def _own(address: str) -> str:
    """The path of an address that the house gave: it may call itself otherwise than it is called here, and a token is
    never sent elsewhere."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def trouble_of(answer: httpx.Response) -> HouseError | None:
    """What an answer's status says is wrong, in the house's words."""
    status = answer.status_code
    if answer.is_success:
        return None
    words = _words(answer)
    if status in (429, 503):
        after = answer.headers.get("Retry-After", "")
        return NotNow(words, status, float(after) if after.isdecimal() else 1.0)
    if status in (401, 403):
        return Refused(words, status)
    if status in (404, 410):
        return Missing(words, status)
    if answer.is_redirect:
        return Refused(f"{words}: the address leads to {answer.headers.get('Location', '')}", status)
    return WrongInput(words, status) if status < 500 else HouseError(words, status)


def _words(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except (ValueError, httpx.ResponseNotRead):
        said = None
    if isinstance(said, dict):
        for name in ("message", "error", "detail", "description"):
            if said.get(name):
                return str(said[name])
    return f"{answer.status_code} {answer.reason_phrase}: {answer.request.url}"


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and bool(httpx.URL(address))
    except (ValueError, httpx.InvalidURL):
        return False
