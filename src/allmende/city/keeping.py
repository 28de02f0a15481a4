"""What many ask for is made once: answers that are the same for everybody, and what is read for them.

    @kept_for_all(papers=stamp_of_papers)
    def send_board(request): ...

An answer is kept for as long as nothing of it is another: no reading, no entity, no access class of a dataset
(:class:`allmende.domain.logs.Stamp`), no profile, none of the service's own papers, and not the second of the clock. So
nobody gets what is older than a second, and nobody what was before a change that they have seen committed, whichever
process made it. Kept is only what somebody without an account gets who brings no session; nothing is kept in a
transaction, since what is read there may never have been.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Generic, NamedTuple, TypeVar

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language

from allmende.city.house import House, View, house_of
from allmende.domain.logs import Stamp
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store

T = TypeVar("T")
Papers = Callable[[], str]
"""A word that is another one whenever a service's own tables are: read for each question, so one cheap statement."""
_OF_304 = ("ETag", "Last-Modified", "Cache-Control", "Vary", "Expires", "Content-Location", "Date")
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")


class Mark(NamedTuple):
    """How everything stands that an answer is made of."""

    profile: Profile
    stamp: Stamp
    second: int

    def same(self, other: "Mark | None") -> bool:
        """Whether nothing is another."""
        return (
            other is not None
            and other.profile is self.profile
            and other.stamp == self.stamp
            and other.second == self.second
        )


def is_anybody(reader: Reader) -> bool:
    """Whether they see what everybody sees, and what they see may be kept."""
    return not (reader.datasets or reader.sees_all or connection.in_atomic_block)


def mark_of(house: House, now: datetime) -> Mark:
    """How things stand at ``now`` (aware). One statement."""
    return Mark(house.profile, house.store.stamp(), int(now.timestamp()))


class Kept(Generic[T]):
    """Values by their keys, for as long as a mark holds; of all of them no more than ``most`` in weight, for each
    store. Safe to use from several threads: what one makes, others wait for."""

    def __init__(self, most: Callable[[], int], weigh: Callable[[T], int]) -> None:
        self._most, self._weigh = most, weigh
        self._lock = threading.Lock()
        self._mark: Mark | None = None
        self._store: Store | None = None
        self._values: dict[Any, T] = {}
        self._weight = 0
        self._making: dict[Any, threading.Lock] = {}

    def get(self, store: Store, mark: Mark, key: Any, make: Callable[[], T | None]) -> T | None:
        """The value, made where there is none that holds. What ``make`` gives as None is not kept."""
        with self._lock:
            if self._store is not store or not mark.same(self._mark):
                if self._mark is not None and self._store is store and mark.second < self._mark.second:
                    return make()  # somebody who was slow: the others are further on
                self._store, self._mark, self._values, self._weight, self._making = store, mark, {}, 0, {}
            if key in self._values:
                return self._values[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if mark.same(self._mark) and key in self._values:
                    return self._values[key]
            value = make()
            if value is not None:
                self._put(mark, key, value)
        return value

    def _put(self, mark: Mark, key: Any, value: T) -> None:
        weight = self._weigh(value)
        with self._lock:
            if mark.same(self._mark) and key not in self._values and self._weight + weight <= self._most():
                self._values[key] = value
                self._weight += weight


class _Answer(NamedTuple):
    body: bytes
    headers: tuple[tuple[str, str], ...]


def _weigh(answer: _Answer) -> int:
    return len(answer.body) + 1_000


_answers: Kept[_Answer] = Kept(lambda: settings.ALLMENDE.answer_cache_bytes, _weigh)


def kept_for_all(*, papers: Papers = lambda: "") -> Callable[[View], View]:
    """Let a view's answers be made once for all who ask the same in the same language, and answer whoever has them
    already with 304 (RFC 9110, 13.2.2; of If-Modified-Since only the very date that we gave counts, since an answer may
    become another and stay as old as it was).

    The view is asked by GET and HEAD alone, and its answer hangs on the address, the language, the house as everybody
    sees it, and on what ``papers`` tells of. An answer that sets a cookie, or is no 200, is given and not kept.
    """

    def keep(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            house = house_of(request)
            if _comes_with_own(request) or not is_anybody(house.reader):
                return view(request, *args, **kwargs)
            conditions = _take_off_conditions(request)  # what is kept is the whole answer
            made: list[HttpResponse] = []

            def make() -> _Answer | None:
                made.append(view(request, *args, **kwargs))
                return _taken(request, made[0])

            key = (view, request.build_absolute_uri(), get_language(), papers(), house.reader == ANONYMOUS,
                   "gzip" in request.headers.get("Accept-Encoding", ""))  # fmt: skip
            answer = _answers.get(house.store, mark_of(house, house.now()), key, make)
            request.META.update(conditions)
            request.__dict__.pop("headers", None)
            return _conditional(request, made[0] if made or answer is None else _given(answer))

        return shown

    return keep


def _comes_with_own(request: HttpRequest) -> bool:
    """Whether the request brings what may make an answer another: a session, or the key of a form."""
    return any(name in request.COOKIES for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME))


def _take_off_conditions(request: HttpRequest) -> dict[str, str]:
    found = {name: request.META.pop(name) for name in _CONDITIONS if name in request.META}
    request.__dict__.pop("headers", None)  # made of META when it is asked for first
    return found


def _taken(request: HttpRequest, response: HttpResponse) -> _Answer | None:
    private = response.cookies or request.META.get("CSRF_COOKIE_NEEDS_UPDATE")
    if response.status_code != 200 or response.streaming or private:
        return None
    session = getattr(request, "session", None)
    if session is not None and session.accessed:
        patch_vary_headers(response, ["Cookie"])  # as the middleware of sessions does for who comes first
    return _Answer(response.content, tuple(response.headers.items()))


def _given(answer: _Answer) -> HttpResponse:
    response = HttpResponse(answer.body)
    for name, value in answer.headers:
        response.headers[name] = value
    return response


def _conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    tag, date = response.headers.get("ETag"), response.headers.get("Last-Modified")
    if response.status_code != 200:
        return response
    if tag and "If-None-Match" in request.headers:
        return get_conditional_response(request, etag=tag, response=response) or response
    if date and request.headers.get("If-Modified-Since") == date:
        headers = {name: response.headers[name] for name in _OF_304 if name in response.headers}
        return HttpResponse(status=304, headers=headers)
    return response
