"""Somebody who posts and posts, and keeps account of what was acknowledged."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping

from tests.faults.houses import House


class Poster(threading.Thread):
    """Posts numbers of its own, from the one behind ``start`` on, until it is told to end.

    ``body`` says how a number is sent. One that was not acknowledged is not sent again.
    """

    def __init__(
        self,
        house: House,
        path: str,
        body: Callable[[int], object],
        start: int,
        over: threading.Event,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self._port, self._path, self._body, self._next, self._over = house.environ["PORT"], path, body, start, over
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self.acknowledged: list[int] = []
        self.refused: set[int] = set()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", int(self._port), timeout=30)
        while not self._over.is_set():
            self._next += 1
            try:
                connection.request("POST", self._path, json.dumps(self._body(self._next)), self._headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.02)
                continue
            if answer.status in (200, 201):
                self.acknowledged.append(self._next)
            else:
                self.refused.add(answer.status)
