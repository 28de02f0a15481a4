"""``/parking/arrival/``: what will be free on arrival, and how good such words have been."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.city.house import house_of
from allmende.city.keeping import kept_for_all
from allmende.city.parking.arrival.backtest import Bin, Report
from allmende.city.parking.arrival.expect import Expectation, expect_many
from allmende.city.parking.arrival.kept import Short, kept_of
from allmende.city.parking.operating.paperwork import stamp_of_papers
from allmende.city.parking.sites import Site, read_sites
from allmende.domain.profile import Profile
from allmende.domain.times import DAY, to_datetime

MINUTES = (15, 30, 60, 120)
SIZE = 300
"""Of the reliability diagram."""
_SURE = 0.985


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def show_arrival(request: HttpRequest) -> HttpResponse:
    """The page."""
    house = house_of(request)
    now = house.now()
    found = _expected(request, now)
    kept = kept_of(house.profile)
    values: dict[str, Any] = {
        "minutes": MINUTES,
        "rows": [_row(site, said) for site, said in found],
        "warnings": [
            _("%(name)s: since %(day)s the forecast errs more than it used to. Something has changed there.")
            % {"name": site.name, "day": date_format(datetime.fromisoformat(said.changed_since), "SHORT_DATE_FORMAT")}
            for site, one in found
            for said in one[:1]
            if said.changed_since
        ],
        "simulated": any(site.simulated for site, _said in found),
        "kept": kept,
        "report": _tables(kept.report, _names(house.profile, [site for site, _said in found])) if kept else None,
        "all": [_short(each) for each in kept.all] if kept else [],
        "size": SIZE,
    }
    response = render(request, "parking/arrival.html", values)
    patch_cache_control(response, private=True, max_age=0)  # the language comes from a cookie
    return response


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def send_arrival(request: HttpRequest) -> HttpResponse:
    """The same expectations for programs; times in ISO 8601, UTC."""
    now = house_of(request).now()
    sites = [
        {
            "id": site.id,
            "name": site.name,
            "simulated": site.simulated,
            "expectations": [
                {
                    "at": one.at.isoformat(),
                    "free": one.free,
                    "low": one.low,
                    "high": one.high,
                    "chanceOfOne": one.chance_of_one,
                    "chanceOfFive": one.chance_of_five,
                    "issued": one.issued.isoformat(),
                    "meanAbsoluteError": one.error,
                    "changedSince": one.changed_since or None,
                    "fallback": one.fallback or None,
                }
                for one in said
            ],
        }
        for site, said in _expected(request, now)
    ]
    response = JsonResponse({"now": now.isoformat(), "sites": sites})
    patch_cache_control(response, public=True, max_age=30)
    return response


def _expected(request: HttpRequest, now: datetime) -> list[tuple[Site, list[Expectation]]]:
    """Of every car park that counts its spaces; a simulated one where it stands alone."""
    house = house_of(request)
    moments = [now + timedelta(minutes=each) for each in MINUTES]
    found: dict[str, tuple[Site, list[Expectation]]] = {}
    sites = read_sites(house.store, house.profile, house.reader, kinds=("car-park",))
    expected = expect_many(house.store, house.reader, sites, moments, now)
    for site in sites:
        said = expected.get(site.id, [])
        before = found.get(site.stands_for)
        if before is None or (said and (not before[1] or before[0].simulated)):
            found[site.stands_for] = (site, said)
    return list(found.values())


def _names(profile: Profile, sites: Sequence[Site]) -> dict[str, str]:
    """What a recording's places are called: a source says which of its words are which place."""
    known = {site.stands_for: site.name for site in sites}
    called = {site.reference: site.name for site in sites if site.reference}
    for source in profile.sources.values():
        places = source.settings.get("places")
        for word, place in places.items() if isinstance(places, dict) else ():
            if isinstance(place, str) and place in known:
                called[word] = known[place]
    return called


def _row(site: Site, said: list[Expectation]) -> dict[str, Any]:
    cells: list[dict[str, str] | None] = [_cell(one) for one in said]
    first = said[0] if said else None
    return {
        "name": site.name,
        "simulated": site.simulated,
        "cells": cells + [None] * (len(MINUTES) - len(cells)),
        "some": first is not None,
        "issued": first.issued if first else None,
        "good": _good(first) if first else "",
        "fallback": bool(first and first.fallback),
    }


def _cell(one: Expectation) -> dict[str, str]:
    span = ""
    if one.low is not None and one.high is not None:
        span = _("%(low)s to %(high)s") % {"low": number_format(one.low), "high": number_format(one.high)}
    return {
        "free": number_format(one.free),
        "span": span,
        "one": _chance(one.chance_of_one),
        "five": _chance(one.chance_of_five),
    }


def _chance(share: float | None) -> str:
    if share is None:
        return "–"
    if share > _SURE:
        return _("almost sure")
    return _("hardly") if share < 1 - _SURE else _percent(share)


def _good(one: Expectation) -> str:
    if one.error is None:
        return ""
    off = number_format(one.error, 1)
    return (
        _("off by %(off)s spaces on average lately")
        if one.judged
        else _("off by %(off)s spaces on average in the test")
    ) % {"off": off}


def _percent(share: float) -> str:
    return f"{number_format(100 * share, 0)}\u202f%"


def _tables(report: Report, names: dict[str, str]) -> dict[str, Any]:
    """The report in words and lines."""
    steps = range(len(report.ahead))
    return {
        "ahead": report.ahead,
        "first": to_datetime(report.learned_from),
        "split": to_datetime(report.split),
        "until": to_datetime(report.until - 1),
        "days": report.relearn // DAY,
        "places": [
            {
                "name": names.get(place.name, place.name),
                "cells": [
                    {
                        "error": number_format(place.error[step], 1),
                        "plain": number_format(min(place.last[step], place.typical[step]), 1),
                        "below": "–" if place.below[step] is None else _percent(place.below[step] or 0.0),
                    }
                    for step in steps
                ],
                "held": _percent(sum(place.held) / len(place.held)),
                "full": place.full,
            }
            for place in report.places
        ],
        "below": [_percent(one) for one in report.below],
        "held": [_percent(one) for one in report.held],
        "diagrams": [_diagram(least, bins) for least, bins in report.reliability.items()],
    }


def _short(one: Short) -> dict[str, Any]:
    return {
        "split": to_datetime(one.split),
        "until": to_datetime(one.until - 1),
        "days": one.relearn // DAY,
        "below": [_percent(each) for each in one.below],
        "held": [_percent(each) for each in one.held],
    }


def _diagram(least: str, bins: list[Bin]) -> dict[str, Any]:
    points = " ".join(f"{SIZE * one.told:.1f},{SIZE * (1 - one.came):.1f}" for one in bins)
    rows = [(_percent(one.told), _percent(one.came), number_format(one.cases, force_grouping=True)) for one in bins]
    return {"least": least, "points": points, "rows": rows}
