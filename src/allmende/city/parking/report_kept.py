"""Closed months: a report of a month that is over stays what it was, whatever comes in, is decided or thinned out.

A job closes a month some days after its end, so that what came late is in it. A steward may close it anew; each edition
stays.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Max

from allmende.city.house import House
from allmende.city.parking.figures import Figures
from allmende.city.parking.now import counted_at
from allmende.city.parking.report import SITES, Line, Month, Report, months_with_readings, read_report
from allmende.city.parking.report_models import KeptReport
from allmende.city.parking.sites import Site
from allmende.domain import times
from allmende.domain.errors import Conflict

AT_ONCE = 24
"""Months that one run of the job closes, the oldest first."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is kept."""

    id: str
    name: str
    simulated: bool
    estimated: bool
    begun: int | None = None
    now: Figures | None
    before: Figures | None
    year_ago: Figures | None


def close_months(house: House) -> None:
    """The job: keep the reports of months that ended ``report_closes`` days ago or earlier."""
    now = house.now()
    zone = house.profile.time_zone
    ended = times.from_datetime(now - timedelta(days=int(house.settings("parking").get("report_closes", 7))))
    counted = counted_at(house, now)
    kept = set(KeptReport.objects.values_list("month", flat=True))
    due = [
        month
        for month in reversed(months_with_readings(counted, zone, now))
        if month.span(zone)[1] <= ended and str(month) not in kept
    ]
    for month in due[:AT_ONCE]:
        keep(made_now(house, month))


def made_now(house: House, month: Month) -> Report:
    """A report as it comes out now."""
    now = house.now()
    most = int(house.settings("parking").get("report_sites", SITES))
    counted = counted_at(house, now)
    return read_report(house.store, house.reader, counted, month, now, zone=house.profile.time_zone, most=most)


def keep(report: Report) -> KeptReport:
    """As the next edition of its month. Raises Conflict where somebody else closes it just now."""
    lines = [
        _Kept(id=line.site.id, name=line.site.name, simulated=line.simulated, estimated=line.estimated,
              begun=line.begun, now=line.now, before=line.before, year_ago=line.year_ago)
        for line in report.lines
    ]  # fmt: skip
    known = KeptReport.objects.filter(month=str(report.month)).aggregate(last=Max("edition"))["last"] or 0
    try:
        with transaction.atomic():
            return KeptReport.objects.create(
                month=str(report.month),
                edition=known + 1,
                made=report.made,
                lines=msgspec.to_builtins(lines),
                left_out=report.left_out,
            )
    except IntegrityError:
        raise Conflict("somebody else has closed this month in the meantime") from None


def editions(month: Month) -> list[KeptReport]:
    """The newest first."""
    return list(KeptReport.objects.filter(month=str(month)).defer("lines"))


def read_kept(kept: KeptReport, visible: Collection[str]) -> Report:
    """A closed report with the car parks of these ids; how many others there were is ``hidden``."""
    lines = msgspec.convert(kept.lines, list[_Kept])
    shown = [_line(each) for each in lines if each.id in visible]
    return Report(
        month=Month.read(kept.month),
        lines=tuple(shown),
        running=False,
        left_out=kept.left_out,
        made=kept.made,
        edition=kept.edition,
        hidden=len(lines) - len(shown),
    )


def _line(kept: _Kept) -> Line:
    said: dict[str, Any] = {name: getattr(kept, name) for name in ("simulated", "estimated", "begun", "now", "before",
                                                                   "year_ago")}  # fmt: skip
    return Line(site=Site(id=kept.id, name=kept.name, kind="car-park", stands_for=kept.id), **said)
