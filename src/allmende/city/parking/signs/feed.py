"""What a controller is told of one display: as JSON, and as lines of text for simple ones.

Between two tellings (see :mod:`allmende.city.parking.signs.rules`) the bytes are the same, and with them the ETag:
"304 Not Modified" says that everything holds, also the time until which it may be shown.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from allmende.city.parking.signs.model import Display, Page, Shown
from allmende.city.parking.signs.rules import as_of, fall_back
from allmende.city.parking.signs.writing import check_rows
from allmende.domain import times
from allmende.domain.errors import InvalidInput

FORMAT = "allmende-sign/1"
_FAULTS = 20
_FAULT_LENGTH = 200


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller says of its display."""

    rows: tuple[str, ...] | None = None
    """What is on the display now; None where the controller does not tell."""
    faults: tuple[str, ...] = ()
    """What is wrong in the controller's words, e.g. ``lamp``."""


def as_json(display: Display, kept: Shown | None, now: datetime, poll: timedelta) -> dict[str, Any]:
    """The telling that holds at ``now``; the fall-back once it has run out."""
    shown = as_of(display, kept, now)
    return {
        "format": FORMAT,
        "id": display.id,
        "controller": display.controller,
        "state": shown.state,
        "number": shown.number,
        "arrow": display.arrow,
        "pages": [_page(page) for page in shown.pages],
        "pageSeconds": int(display.model.alternate.total_seconds()),
        "shownSince": _iso(shown.since),
        "decidedAt": _iso(shown.decided_at),
        "validUntil": _iso(shown.until),
        "fallback": {"pages": [_page(page) for page in fall_back(display)]},
        "pollSeconds": int(poll.total_seconds()),
        "simulated": display.simulated or shown.simulated,
    }


def as_bytes(display: Display, kept: Shown | None, now: datetime, poll: timedelta) -> bytes:
    """The same as bytes."""
    return msgspec.json.encode(as_json(display, kept, now, poll))


def as_text(display: Display, kept: Shown | None, now: datetime) -> str:
    """A line each: the end of validity, how many rows a page has, the rows of all pages, then those of the fall-back.

    ::

        valid-until 2026-11-22T16:20:00.000Z
        page 4
        |1230
        fallback 4
        |   –
    """
    shown = as_of(display, kept, now)
    seconds = int(display.model.alternate.total_seconds())
    lines = [f"valid-until {_iso(shown.until)}"]
    for name, pages in (("page", shown.pages), ("fallback", fall_back(display))):
        for page in pages:
            lines += [f"{name} {seconds}", *(f"|{row}" for row in page.rows)]
    return "\n".join(lines) + "\n"


def tag(body: bytes) -> str:
    """A strong ETag of the bytes (RFC 9110, 8.8.3)."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def told(display: Display, shown: Shown) -> dict[str, Any]:
    """The telling as the result of an observation: who hears it alone, by MQTT, has all that is needed."""
    return {
        "state": shown.state,
        "number": shown.number,
        "pages": [list(page.rows) for page in shown.pages],
        "validUntil": _iso(shown.until),
        "fallback": [list(page.rows) for page in fall_back(display)],
    }


def read_report(display: Display, body: bytes) -> Report:
    """A report. Raises InvalidInput."""
    try:
        found = msgspec.json.decode(body, type=Report, strict=True)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InvalidInput('the report is no {"rows": ["…"], "faults": ["…"]}: %(error)s', error=error) from None
    if len(found.faults) > _FAULTS or any(len(fault) > _FAULT_LENGTH for fault in found.faults):
        raise InvalidInput(
            "%(count)s faults of %(length)s characters each are the most", count=_FAULTS, length=_FAULT_LENGTH
        )
    if found.rows is not None:
        check_rows(display.model, found.rows, display.id)
    return found


def agrees(display: Display, report: Report, kept: Shown | None, now: datetime, poll: timedelta) -> bool | None:
    """Whether the display shows what it should; None where the report does not say what it shows, and while the
    controller may not have heard yet."""
    should = as_of(display, kept, now)
    if report.rows is None or now - should.since < 2 * poll:
        return None
    seen = _bare(report.rows)
    return any(seen == _bare(page.rows) for page in should.pages)


def _bare(rows: tuple[str, ...]) -> list[str]:
    """Rows without the blanks around and without empty ones at the end."""
    found = [row.strip() for row in rows]
    while found and not found[-1]:
        found.pop()
    return found


def _page(page: Page) -> Mapping[str, Any]:
    return {"rows": list(page.rows), "language": page.language}


def _iso(moment: datetime) -> str:
    return times.format_instant(times.from_datetime(moment))
