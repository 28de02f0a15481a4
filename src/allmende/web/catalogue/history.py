"""The history of a dataset's description: when it became another one, why, and what it said."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from allmende.domain.catalogue import Entry
from allmende.domain.dataset_fields import FIELDS
from allmende.domain.editions import Edition
from allmende.domain.plain import differences
from allmende.domain.profile import Profile
from allmende.web.catalogue.notes import edition_body
from allmende.web.office.words import Said, field_at, say_differences, say_place
from allmende.web.portal.sources import as_moment, spoken

_LABELS = {field.name: field.label for field in FIELDS}


def as_day(text: str) -> datetime | str:
    """A day as a date to be shown in the reader's way; a year or a month as it is."""
    return datetime.fromisoformat(text) if len(text) == 10 else text


class Told(NamedTuple):
    """An edition in words of the active language; ``number`` is 0 for a version that only the publisher counts."""

    number: int
    name: str
    day: datetime | str | None
    reason: str
    changed: list[str]


def told_history(entry: Entry) -> list[Told]:
    """Editions, and versions that the publisher named before the house kept any; the newest first."""
    known = {edition.name for edition in entry.editions if edition.name}
    earlier = [
        Told(0, each.number, as_day(each.date), spoken(each.reason), [])
        for each in entry.dataset.versions if each.number not in known
    ]  # fmt: skip
    return [*reversed([_told(each) for each in entry.editions]), *reversed(earlier)]


def _told(edition: Edition) -> Told:
    names = [label_of(place) for place in edition.changed]
    return Told(edition.number, edition.name, as_moment(edition.at), spoken(edition.reason), list(dict.fromkeys(names)))


def label_of(place: str) -> str:
    """What a place of a description is called; the office's forms do not have all of them."""
    field = field_at("dataset", place)
    known = _LABELS.get(place.partition(".")[0])
    return say_place(place, field) if field is not None or known is None else spoken(known)


def show_edition(request: HttpRequest, edition: Edition, body: Mapping[str, Any], current: Entry) -> HttpResponse:
    """``/dataset/ID/version/N`` for people: what was said then, and what of it was different before."""
    profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    place = current.editions.index(edition)
    before = current.editions[place - 1] if place else None
    after = current.editions[place + 1] if place + 1 < len(current.editions) else None
    earlier = edition_body(current.id, before.number) if before else None
    values = {
        "title": spoken(body.get("title", {})),
        "entry": current,
        "edition": _told(edition),
        "before": before,
        "after": after,
        "newest": current.editions[-1],
        "said": _said(None, body, profile),
        "differences": _said(earlier, body, profile) if earlier is not None else [],
        "address": f"{current.address}/version/{edition.number}",
    }
    return render(request, "catalogue/edition.html", values)


def _said(before: Mapping[str, Any] | None, after: Mapping[str, Any], profile: Profile) -> list[Said]:
    # the outline of an area is a list of numbers that nobody reads
    return [
        said
        for found in differences(before, after)
        if found.place.partition(".")[0] not in ("id", "outline")
        for said in (
            each._replace(label=label_of(found.place)) for each in say_differences("dataset", [found], profile)
        )
    ]
