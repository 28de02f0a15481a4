"""A file over HTTP, so that a transfer that broke off goes on: ranges (RFC 9110, 14), If-Range, entity tags."""

import os
import re
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date

_CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)
_config = settings.ALLMENDE
_transfers = threading.BoundedSemaphore(_config.download_transfers or max(1, _config.web_threads // 2))


class _Piece:
    """Bytes of an open file; gives its place among the transfers back once, whatever becomes of it."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self._file, self._left, self._open = file, length, True
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._left > 0 and (chunk := self._file.read(min(_CHUNK, self._left))):
                self._left -= len(chunk)
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        if self._open:
            self._open = False
            self._file.close()
            _transfers.release()

    def __del__(self) -> None:
        self.close()


def send_file(
    request: HttpRequest, path: Path, *, media: str, name: str, digest: str, modified: datetime, shared: bool
) -> HttpResponseBase:
    """The file, or the one range that is asked for. ``shared``: whether caches may keep it, and ask again each time.

    Several ranges at once are answered by the whole file, as a server may. 503 where too many files are being sent.
    Raises FileNotFoundError.
    """
    file = path.open("rb")
    size = os.fstat(file.fileno()).st_size
    tag, date = f'"{digest[:40]}"', http_date(modified.timestamp())
    status, piece = _plan(request, size, tag, date)
    found: HttpResponseBase
    if status in (304, 416) or request.method == "HEAD":
        file.close()
        found = HttpResponse(status=status)
    elif not _transfers.acquire(blocking=False):
        file.close()
        found = HttpResponse(status=503)
        found["Retry-After"] = "10"
        return found
    else:
        found = StreamingHttpResponse(_Piece(file, piece.start, len(piece)), status=status)
    found["ETag"] = tag
    found["Last-Modified"] = date
    found["Accept-Ranges"] = "bytes"
    found["Cache-Control"] = "no-cache" if shared else "private, no-cache"
    if status == 416:
        found["Content-Range"] = f"bytes */{size}"
    if status == 206:
        found["Content-Range"] = f"bytes {piece.start}-{piece.stop - 1}/{size}"
    if status in (200, 206):
        found["Content-Length"] = str(len(piece))
        found["Content-Type"] = media
        found["Content-Disposition"] = f'attachment; filename="{name}"'
    return found


def _plan(request: HttpRequest, size: int, tag: str, date: str) -> tuple[int, range]:
    """The status, and the bytes that go with it. A range that cannot be read is as if it were not there (14.2)."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")]
    if "*" in known or tag in known:
        return 304, range(0)
    whole = 200, range(size)
    condition = request.headers.get("If-Range", "")
    match = _RANGE.match(request.headers.get("Range", "").replace(" ", ""))
    if request.method != "GET" or match is None or (condition and condition not in (tag, date)):
        return whole
    first, last = match.groups()
    if first:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return whole
    elif last:
        start, stop = max(0, size - int(last)), size
    else:
        return whole
    return (206, range(start, stop)) if start < stop else (416, range(0))
