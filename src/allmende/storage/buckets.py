"""Time buckets: ``bucket(phenomenonTime,duration'P1D','Europe/Berlin')`` is when the bucket that a time lies in begins.

A duration of fixed length is counted from Monday, 5 January 1970, 0:00, on the clock of the zone, so that weeks begin
on Mondays and six hours at 0, 6, 12 and 18. Where the clock is put back, an hour that comes twice is two buckets of an
hour or less; a longer one holds both: a day has 23, 24 or 25 hours. Months and years are the calendar's.
"""

import re
from functools import lru_cache
from zoneinfo import available_timezones

from allmende.domain import times
from allmende.domain.errors import InvalidQuery
from allmende.domain.query import Call, Expression, Value
from allmende.storage.connections import Dialect
from allmende.storage.sql import Sql
from allmende.storage.typed import at, call

MONDAY = 4 * times.DAY
"""1970-01-05T00:00: where counting begins."""
FIRST, LAST = times.EARLIEST + 3 * times.DAY, times.LATEST - 3 * times.DAY
"""Within a clock of any zone stays inside of the calendar; beyond, it shows UTC."""
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}\Z", re.ASCII)


def origin(width: int) -> int:
    """A start of a bucket before all times of any zone: what is divided is never negative."""
    earliest = times.EARLIEST - 2 * times.DAY
    return earliest - (earliest - MONDAY) % width


def floor_utc(moment: Sql, width: int) -> Sql:
    """The start of a fixed bucket of UTC: whole numbers alone, the same in each engine."""
    first, by = Sql("CAST(? AS bigint)", (origin(width),)), Sql("CAST(? AS bigint)", (width,))
    return "((" + moment + " - " + first + ") / " + by + " * " + by + " + " + first + ")"


def bucket(dialect: Dialect, node: Call, moment: Sql) -> Sql:
    """``bucket(moment,width,zone)``; raises InvalidQuery for a width or zone that is none."""
    width, of_months = read_width(node.arguments[1])
    zone = read_zone(node)
    named, by = Sql("CAST(? AS text)", (zone,)), Sql("CAST(? AS bigint)", (width,))
    if of_months:
        return call(dialect, "months", named, by, moment)
    if zone == "UTC":
        return floor_utc(moment, width)
    return call(dialect, "bucket", named, by, Sql("CAST(? AS bigint)", (origin(width),)), moment)


def read_width(node: Expression) -> tuple[int, bool]:
    """A literal duration as (number, whether it is of months instead of microseconds)."""
    if not isinstance(node, Value) or node.kind not in ("duration", "months"):
        raise InvalidQuery("bucket() takes a duration here, e.g. duration'PT1H' or duration'P1M'", where=at(node))
    most = 12 * 9999 if node.kind == "months" else times.LATEST - times.EARLIEST
    if not 0 < node.value <= most:
        raise InvalidQuery("a bucket is longer than nothing, and shorter than the calendar", where=at(node))
    return node.value, node.kind == "months"


def read_zone(node: Call) -> str:
    """The name of the time zone; UTC where none is said."""
    if len(node.arguments) < 3:
        return "UTC"
    said = node.arguments[2]
    if not isinstance(said, Value) or said.kind != "string":
        raise InvalidQuery("bucket() takes the name of a time zone here, e.g. 'Europe/Berlin'", where=at(said))
    if not _ZONE.match(said.value) or said.value not in _zones():
        raise InvalidQuery(f"there is no time zone {said.value[:64]!r}, e.g. 'Europe/Berlin'", where=at(said))
    return str(said.value)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    # What only some systems have is no name that both engines know.
    return frozenset(available_timezones()) - {"localtime", "Factory", "posixrules"}
