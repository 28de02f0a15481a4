"""Sites and their history as CSV (RFC 4180, UTF-8, a comma, a point in decimals, times in ISO 8601 UTC)."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from allmende.city.parking.board import History
from allmende.city.parking.state import SiteState, Spaces
from allmende.city.parking.statements import SPACES_FOR

_FACTS = (
    "type", "purpose", "address", "operator_name", "public_url", "opening_hours", "has_fee", "fee_description",
    "max_stay", "max_height", "max_width", "park_and_ride_type", "supervision_type", "has_lighting", "is_covered",
)  # fmt: skip
SITE_COLUMNS = (
    "id", "name", "kind", "parent", "lon", "lat", "source", "dataset", "simulated", "status", "reason", "free",
    "occupied", "capacity", "trend", "estimated", "error", "flags", "observed_at", "confirmed_at",
    *(f"{name}_{kind}" for kind in SPACES_FOR for name in ("capacity", "free")), *_FACTS,
)  # fmt: skip
HISTORY_COLUMNS = ("site", "start", "seconds", "mean", "low", "high", "covered", "implausible")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sites(states: Iterable[SiteState]) -> str:
    """A row for each site. What is not known is empty; lists and objects are JSON."""
    return _written(SITE_COLUMNS, (_site(state) for state in states))


def history(found: Sequence[History]) -> str:
    """A row for each piece of time: mean, lowest and highest free spaces, and how much of it is known (0 to 1)."""
    rows = (
        (
            each.site.id, _instant(bucket.start), each.width, None if bucket.mean is None else round(bucket.mean, 2),
            bucket.low, bucket.high, round(bucket.covered, 3), bucket.implausible,
        )
        for each in found
        for bucket in each.buckets
    )  # fmt: skip
    return _written(HISTORY_COLUMNS, rows)


def _site(state: SiteState) -> tuple[Any, ...]:
    site = state.site
    apart = [state.spaces.get(kind, Spaces()) for kind in SPACES_FOR]
    kinds = [value for each in apart for value in (each.capacity, each.free)]
    return (
        site.id, site.name, site.kind, site.parent, site.lon, site.lat, site.source, site.dataset, state.simulated,
        state.status, state.reason, state.free, state.occupied, state.capacity, state.trend, state.estimated,
        state.error, " ".join(state.flags), _instant(state.observed_at), _instant(state.confirmed_at), *kinds,
        *(site.fact(name) for name in _FACTS),
    )  # fmt: skip


def _written(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    # a text that a spreadsheet would take for a formula is text there too
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
