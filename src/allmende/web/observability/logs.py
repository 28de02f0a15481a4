"""Structured logs on standard error: one JSON object a line, or colours on a terminal.

No personal data: no addresses of clients, no query strings, no names.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import structlog

from allmende.web.config import Config

_QUIET = ("asyncio", "httpx", "httpcore", "websockets", "amqtt", "transitions", "django.utils.autoreload")
"""Libraries whose everyday talk is no news; their warnings are."""


def configure(config: Config, part: str) -> None:
    """Send this process's logs, structlog's and the standard library's, to standard error. ``part``: web, worker, …"""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _name_part(part),
    ]
    console = config.log_format == "console" or (config.log_format == "auto" and sys.stderr.isatty())
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(timestamp_key="time", colors=sys.stderr.isatty())]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    request_log.configure(None if console else handler, part, getattr(logging, config.log_level.upper()))
    root.handlers[:] = [handler]
    root.setLevel(config.log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # The access log of ours tells what these would tell again.
    logging.getLogger("django.server").setLevel(logging.ERROR)
    logging.getLogger("django.request").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class RequestLog:
    """The line of each request. There is one for every answer, so in JSON it is written straight, laid out as all
    others are; the way through structlog and logging takes as long as many an answer."""

    def __init__(self) -> None:
        self._handler: logging.StreamHandler[Any] | None = None
        self._part = ""
        self._level = logging.NOTSET

    def configure(self, handler: "logging.StreamHandler[Any] | None", part: str, level: int) -> None:
        """Write to this handler's stream from ``level`` on; None: through structlog."""
        self._handler, self._part, self._level = handler, part, level

    def write(self, level: int, request_id: str, fields: dict[str, Any]) -> None:
        """Write a line, where such a level is logged."""
        if self._handler is None:
            _log.log(level, "request", **fields)
            return
        if level < self._level:
            return
        moment = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        said = {"event": "request", "request_id": request_id, "level": _NAMES[level], "time": moment}
        line = _encode({**fields, **said, "part": self._part})
        self._handler.acquire()
        try:
            self._handler.stream.write(f"{line}\n")
            self._handler.flush()
        except (OSError, ValueError):  # it is full, gone, or closed
            return  # as logging does: who cannot be told of a request answers it nevertheless
        finally:
            self._handler.release()


_encode = json.JSONEncoder(ensure_ascii=False).encode
_NAMES = {logging.DEBUG: "debug", logging.INFO: "info", logging.ERROR: "error"}
_log = structlog.get_logger("allmende.web")
request_log = RequestLog()


def _name_part(part: str) -> Any:
    def add(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        event["part"] = part
        return event

    return add
