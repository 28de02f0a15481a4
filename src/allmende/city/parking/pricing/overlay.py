"""Tariffs that were entered here, laid over those of the profile's file. Plain Python.

On each day from its first to its last the tariff that was released last counts; on all others what held before. One
without a last day holds until the next one begins that is known already, as in the file. The file is the beginning and
stays as it is.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

from allmende.city.parking.tariffs_model import Plan, Site, Tariffs, Version

_DAY = timedelta(days=1)


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A released tariff."""

    plan: str
    name: Mapping[str, str]
    """Of a plan that the file does not have."""
    version: Version
    """With its first day."""
    sites: tuple[str, ...] = ()
    """Sites of which it says that this plan holds there."""


def laid_over(tariffs: Tariffs, entered: Iterable[Entered]) -> Tariffs:
    """All tariffs together; ``entered`` in the order of their release."""
    plans, sites = dict(tariffs.plans), dict(tariffs.sites)
    for each in entered:
        known = plans.get(each.plan) or Plan(id=each.plan, name=each.name, versions=())
        plans[each.plan] = msgspec.structs.replace(known, versions=with_version(known.versions, each.version))
        for site in each.sites:
            sites[site] = _put(sites.get(site), site, each)
    return msgspec.structs.replace(tariffs, plans=plans, sites=sites)


def with_version(versions: Iterable[Version], new: Version) -> tuple[Version, ...]:
    """In the order of time, with the new one on all of its days."""
    versions = tuple(versions)
    if new.valid_until is None and new.valid_from is not None:
        begins = [each.valid_from for each in versions if each.valid_from and each.valid_from > new.valid_from]
        if begins:
            new = msgspec.structs.replace(new, valid_until=min(begins) - _DAY)
    kept = [piece for each in versions for piece in _without(each, new)]
    return tuple(sorted((*kept, new), key=lambda each: each.valid_from or date.min))


def _without(old: Version, new: Version) -> Iterable[Version]:
    """What is left of a version: before, behind, both or nothing."""
    first, last = new.valid_from or date.min, new.valid_until or date.max
    begin, end = old.valid_from or date.min, old.valid_until or date.max
    if last < begin or end < first:
        yield old
        return
    if begin < first:
        yield msgspec.structs.replace(old, valid_until=first - _DAY)
    if last < end:
        yield msgspec.structs.replace(old, valid_from=last + _DAY)


def _put(known: Site | None, site: str, entered: Entered) -> Site:
    said = {"plan": entered.plan, "possible": (), "source": entered.version.source, "date": entered.version.date}
    if known is None:
        return Site(id=site, plan=entered.plan, source=entered.version.source, date=entered.version.date)
    return msgspec.structs.replace(known, **said)
