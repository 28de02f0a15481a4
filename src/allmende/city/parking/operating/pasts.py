"""What operators decided and what was found doubtful, with its times: for all that is told of the past."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from allmende.city.parking.operating.models import (
    Calibration,
    ChosenFact,
    Closure,
    Decided,
    Desk,
    Doubt,
    Lease,
    Override,
)
from allmende.city.parking.operating.paperwork import ALL
from allmende.city.parking.past import NOTHING, Doubted, Past, Spell
from allmende.city.parking.sites import Site
from allmende.city.parking.told import Pasts
from allmende.domain import times

BY_HAND = "by-hand"
"""The flag of a count in whose place an operator's number stood: nobody counted it."""


class _Book(msgspec.Struct):
    stamp: str
    sites: dict[str, Past]
    offsets: dict[str, tuple[Spell, ...]]
    """By stream."""


_kept = _Book("", {}, {})


def pasts() -> Pasts:
    """By site and stream; read anew once anything of it is another. What is simulated was never decided on."""
    global _kept
    stamp = Desk.objects.filter(pk=ALL).values_list("stamp", flat=True).first() or ""
    if stamp != _kept.stamp:
        _kept = _read(stamp)
    book = _kept

    def past(site: Site, stream: str) -> Past:
        if site.simulated or not book.stamp:
            return NOTHING
        found = book.sites.get(site.stands_for, NOTHING)
        offsets = book.offsets.get(stream, ())
        return msgspec.structs.replace(found, offsets=offsets) if offsets else found

    return past


def _read(stamp: str) -> _Book:
    found: dict[str, dict[str, list[Any]]] = {}
    offsets: dict[str, list[Spell]] = {}

    def put(site: str, kind: str, what: Any) -> None:
        found.setdefault(site, {}).setdefault(kind, []).append(what)

    for choice in _in_order(ChosenFact.objects.filter(fact="capacity")):
        if isinstance(choice.value, int | float):
            put(choice.site, "capacities", _spell(choice, int(choice.value)))
    for lease in _in_order(Lease.objects.all()):
        put(lease.site, "leases", _spell(lease, lease.spaces))
    for closure in _in_order(Closure.objects.all()):
        put(closure.site, "closures" if closure.spaces is None else "parts", _spell(closure, closure.spaces or 0))
    for override in _in_order(Override.objects.all()):
        spell = _spell(override)
        if override.status == Override.CLOSED:
            put(override.site, "closures", spell)
        else:
            put(override.site, "doubts", Doubted(spell.start, spell.end, BY_HAND))
    for doubt in Doubt.objects.exclude(effect="quiet").order_by("since", "pk"):
        put(doubt.site, "doubts", Doubted(_moment(doubt.since), _end([doubt.until]), doubt.flag))
    for each in _in_order(Calibration.objects.filter(state=Calibration.APPLIED)):
        offsets.setdefault(each.stream, []).append(_spell(each, each.offset))
    sites = {
        site: Past(**{kind: tuple(each for each in said if each.end is None or each.start < each.end)
                      for kind, said in kinds.items()})
        for site, kinds in found.items()
    }  # fmt: skip
    return _Book(stamp, sites, {stream: tuple(spells) for stream, spells in offsets.items()})


def _in_order(rows: Any) -> Iterable[Any]:
    """The newest last: of several it counts."""
    return rows.order_by("made", "pk")  # type: ignore[no-any-return]


def _spell(row: Decided, value: int = 0) -> Spell:
    return Spell(_moment(row.start), _end([row.until, row.ended]), value)


def _moment(moment: datetime) -> int:
    return times.from_datetime(moment)


def _end(ends: Iterable[datetime | None]) -> int | None:
    return min((_moment(end) for end in ends if end is not None), default=None)
