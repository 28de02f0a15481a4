"""Buckets of a zone's clock in PostgreSQL's words. They mean what ``zones_sqlite.py`` means.

A local time that comes twice is PostgreSQL's later one; the house's is the earlier: three hours before it no clock was
put back meanwhile, so counting on from there tells whether there is an earlier one.
"""

from allmende.domain import times
from allmende.storage.buckets import FIRST, LAST

_EPOCH = "date '1970-01-01'"


def _moment(micros: str) -> str:
    """Microseconds as a timestamp without a zone. Days and the rest one by one: neither loses a digit."""
    rest = f"((({micros}) % {times.DAY} + {times.DAY}) % {times.DAY})"
    days = f"CAST((({micros}) - {rest}) / {times.DAY} AS integer)"
    return f"(({_EPOCH} + {days}) + CAST({rest} AS double precision) * interval '1 microsecond')"


def _micros(moment: str) -> str:
    """The way back."""
    days = f"CAST(CAST({moment} AS date) - {_EPOCH} AS bigint)"
    return f"({days} * {times.DAY} + CAST(extract(epoch FROM CAST({moment} AS time)) * 1000000 AS bigint))"


def _shown(micros: str) -> str:
    """What the clock of zone ``z`` shows."""
    return f"(({_moment(micros)} AT TIME ZONE 'UTC') AT TIME ZONE z)"


def _layers(*layers: str) -> str:
    """Each a list of columns over the one before. OFFSET keeps the planner from writing them into each other."""
    inner = f"SELECT {layers[0]} OFFSET 0"
    for place, columns in enumerate(layers[1:]):
        inner = f"SELECT {columns} FROM ({inner}) x{place} OFFSET 0"
    return inner


_CLOCK = f"CASE WHEN m BETWEEN {FIRST} AND {LAST} THEN {_shown('m')} ELSE {_moment('m')} END AS shown"
_EARLIER = "((t - interval '3 hours') AT TIME ZONE z + interval '3 hours')"
_LATER = "(t AT TIME ZONE z)"
_BOTH = (
    f"z, w, m, l, f, t, CASE WHEN {_EARLIER} AT TIME ZONE z = t THEN least({_EARLIER}, {_LATER}) ELSE {_LATER} END"
    " AT TIME ZONE 'UTC' AS begun"
)
_STRAIGHT = "f - (l - m)"
_EDGE = f"m NOT BETWEEN {FIRST} AND {LAST}"
_BEGUN = (
    f"greatest(CASE WHEN {_EDGE} THEN f WHEN w <= {times.HOUR} AND {_shown(_STRAIGHT)} = t THEN {_STRAIGHT}"
    f" ELSE {_micros('begun')} END, {times.EARLIEST})"
)

FIXED = "(SELECT CASE WHEN m IS NOT NULL THEN {} END FROM ({}) y)".format(
    _BEGUN,
    _layers(
        "{0} AS z, {1} AS w, {2} AS o, {3} AS m",
        f"z, w, o, m, {_CLOCK}",
        f"z, w, o, m, {_micros('shown')} AS l",
        f"z, w, m, l, greatest((l - o) / w * w + o, {times.EARLIEST - times.DAY}) AS f",
        f"z, w, m, l, f, {_moment('f')} AS t",
        _BOTH,
    ),
)
"""The start of a fixed bucket: zone, width, :func:`allmende.storage.buckets.origin` of the width, and the moment."""

_INDEX = "(CAST(extract(year FROM shown) AS bigint) * 12 + CAST(extract(month FROM shown) AS bigint) - 1)"
_MONTH = f"({_EPOCH} + make_interval(months => CAST(i - 1970 * 12 AS integer)))"
MONTHS = "(SELECT CASE WHEN m IS NOT NULL THEN CASE WHEN i < 12 THEN {} ELSE {} END END FROM ({}) y)".format(
    times.EARLIEST,
    f"greatest(CASE WHEN {_EDGE} THEN {_micros('t')} ELSE {_micros('begun')} END, {times.EARLIEST})",
    _layers(
        "{0} AS z, {1} AS w, {2} AS m",
        f"z, w, m, {_CLOCK}",
        f"z, w, m, {_INDEX} / w * w AS i",
        f"z, w, m, i, {_MONTH} AS t",
        _BOTH.replace(" l, f,", " i,"),
    ),
)
"""The start of a bucket of so many months: zone, number, and the moment."""
