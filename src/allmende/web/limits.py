"""What one client may ask of the house: the size of a body, and how often the APIs are called."""

import threading
import time
from collections.abc import Callable

import msgspec
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse

APIS = ("/sta/", "/ogc/", "/catalog", "/dataset/", "/api/3/", "/api/action/")
MAKING = "/office/sources/new/"
"""Where files are brought to make a source of: larger ones than by other forms."""
_FORM = 64 * 1024
"""What a form has beside the file."""
_MOST_CLIENTS = 10_000


class Bucket:
    """Tokens of one process: each client has ``rate`` a minute, and may use them in one go.

    Each process of the web server counts for itself. Kept in memory and forgotten after a minute of quiet; addresses
    are kept no longer than that.
    """

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, client: str) -> float:
        """Take a token. Gives 0, or the seconds until there is one again."""
        now = self._clock()
        with self._lock:
            if len(self._left) >= _MOST_CLIENTS:
                self._left = {key: value for key, value in self._left.items() if now - value[1] < 60}
                if len(self._left) >= _MOST_CLIENTS:
                    self._left.clear()
            left, at = self._left.get(client, (float(self.rate), now))
            left = min(float(self.rate), left + (now - at) * self.rate / 60)
            if left < 1:
                self._left[client] = (left, now)
                return (1 - left) * 60 / self.rate
            self._left[client] = (left - 1, now)
            return 0.0


class LimitsMiddleware:
    """413 for a body that says it is too large, 429 with Retry-After for too many calls of an API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        rate = settings.ALLMENDE.rate_limit
        self._bucket = Bucket(rate) if rate else None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        form = request.content_type == "multipart/form-data"
        limit = settings.ALLMENDE.upload_bytes if form else settings.ALLMENDE.body_bytes
        name = "ALLMENDE_UPLOAD_BYTES" if form else "ALLMENDE_BODY_BYTES"
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > limit and form and request.path_info == MAKING and _is_known(request):
            limit, name = settings.ALLMENDE.making_bytes + _FORM, "ALLMENDE_MAKING_BYTES"
        if length > limit:
            return _refuse(413, f"the body has {length} bytes, allowed are {limit} (limit: {name})")
        if self._bucket and request.path_info.startswith(APIS):
            wait = self._bucket.take(request.META.get("REMOTE_ADDR", ""))
            if wait:
                response = _refuse(429, f"more than {self._bucket.rate} calls a minute (limit: ALLMENDE_RATE_LIMIT)")
                response["Retry-After"] = str(int(wait) + 1)
                return response
        return self.get_response(request)


def _is_known(request: HttpRequest) -> bool:
    """Whether somebody has logged in. Asked before the body is read, for large ones alone: a form's body lies on the
    disk by the time that a view can say no."""
    session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return SESSION_KEY in session


def _refuse(status: int, message: str) -> HttpResponse:
    body = msgspec.json.encode({"code": status, "type": "error", "message": message})
    return HttpResponse(body, status=status, content_type="application/json")
