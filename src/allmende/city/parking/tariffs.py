"""What parking costs: the cost of one stay by tariffs with the days on which they hold, and what explains it.

All money is whole cents; fractions of a cent (a price by the minute) are kept exactly and rounded half up once, at the
end. Stays are counted in started minutes of real time, so that the day on which the clock is put back has 25 hours; the
hours of a rate are what the clock shows. :mod:`tariffs_file` reads tariffs, :mod:`tariffs_count` counts.

    told = cost(tariffs, "parking-markt", start, end)
    told.status, told.cents        # "known", 450
    [(line.kind, line.cents) for line in told.lines]
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from allmende.city.parking.tariffs_count import count
from allmende.city.parking.tariffs_model import Cost, Plan, Tariffs
from allmende.domain.errors import InvalidInput, LimitExceeded


def cost(tariffs: Tariffs, site: str, start: datetime, end: datetime, *, longest: int | None = None) -> Cost:
    """What it costs to park at a site from one moment to another (aware).

    ``longest`` (minutes) is the longest stay that the site's own facts say; the shortest one of all holds. Raises
    InvalidInput for a stay that ends before it begins, and LimitExceeded for one of more than ``most_days``.
    """
    known = tariffs.sites.get(site)
    _check(tariffs, start, end)
    limits = [each for each in (longest, known.longest if known else None) if each is not None]
    least = min(limits, default=None)
    if known is None or not (known.plan or known.possible):
        return _refused(tariffs, start, end, least) or Cost(
            status="unknown", reason="no-source", currency=tariffs.currency
        )
    if known.plan:
        return cost_of(tariffs, tariffs.plans[known.plan], start, end, longest=least)
    return merge(cost_of(tariffs, tariffs.plans[each], start, end, longest=least) for each in known.possible)


def cost_of(tariffs: Tariffs, plan: Plan, start: datetime, end: datetime, *, longest: int | None = None) -> Cost:
    """The same where the plan is known."""
    _check(tariffs, start, end)
    if plan.permit:
        return Cost(status="not-allowed", reason="permit", currency=tariffs.currency, plan=plan.id)
    return _refused(tariffs, start, end, longest, plan.id) or count(tariffs, plan, start, end)


def merge(costs: Iterable[Cost]) -> Cost:
    """One answer of several that are possible: the range of those that are known."""
    found = tuple(costs)
    known = [each for each in found if each.status == "known"]
    if not known:
        return msgspec.structs.replace(found[0], plan="", lines=(), possible=found)
    cents = [each.cents or 0 for each in known]
    return Cost(
        status="range",
        reason="no-source",
        low=min(cents),
        high=max(cents),
        currency=known[0].currency,
        not_said=tuple(dict.fromkeys(each for one in known for each in one.not_said)),
        possible=found,
    )


def _refused(tariffs: Tariffs, start: datetime, end: datetime, longest: int | None, plan: str = "") -> Cost | None:
    if longest is None or end - start <= timedelta(minutes=longest):
        return None
    until = start + timedelta(minutes=longest)
    return Cost(status="not-allowed", reason="longest", currency=tariffs.currency, plan=plan, until=until)


def _check(tariffs: Tariffs, start: datetime, end: datetime) -> None:
    if end < start:
        raise InvalidInput("the stay ends before it begins", where="until")
    if end - start > timedelta(days=tariffs.most_days):
        raise LimitExceeded(
            "costs are told of stays of %(days)s days at most",
            setting="most_days",
            where="until",
            days=tariffs.most_days,
        )
