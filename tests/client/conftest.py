"""The client against the house itself, without a server between them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core import signals
from django.db import close_old_connections

from allmende.client import House
from tests.web.catalogue.conftest import house
from tests.web.downloads.conftest import thread
from tests.web.sql.conftest import dumped

__all__ = ["dumped", "house", "thread"]


class Wire(httpx.BaseTransport):
    """To the house's own WSGI application; what was asked is noted, and may be answered otherwise."""

    def __init__(self) -> None:
        from allmende.web.wsgi import application

        self._inner = httpx.WSGITransport(app=application)
        self.asked: list[httpx.Request] = []
        self.instead: list[Any] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.instead and (answer := self.instead.pop(0)) is not None:
            if isinstance(answer, Exception):
                raise answer
            return answer(self._inner.handle_request(request)) if callable(answer) else answer
        return self._inner.handle_request(request)


@pytest.fixture
def steady() -> Iterator[None]:
    """A test's transaction lies on one connection: no request may close it, as with Django's own client."""
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@pytest.fixture
def wire(dumped: Any, steady: None) -> Wire:
    return Wire()


@pytest.fixture
def city(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house that is asked by nobody in particular; nobody waits in a test."""
    with House("http://localhost", transport=wire) as found:
        monkeypatch.setattr(found._web, "_sleep", lambda seconds: None)
        yield found
