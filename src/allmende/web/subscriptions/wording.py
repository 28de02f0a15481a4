"""Selections and happenings in words."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import formats, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from allmende.domain.catalogue import may_know, may_read
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.query import Query
from allmende.domain.store import Store
from allmende.domain.times import to_datetime
from allmende.web.subscriptions.happening import Happening, say
from allmende.web.subscriptions.selection import Selection, area_of

KIND_TITLES = {
    "alerts": _l("Alerts"),
    "features": _l("Roadworks, closures, events"),
    "datasets": _l("Changes of datasets"),
    "stories": _l("Stories"),
}
KIND_HINTS = {
    "alerts": _l("E.g. high water, frost, a full car park"),
    "features": _l("What begins or ends at a place"),
    "datasets": _l("New data, changed descriptions, data that end"),
    "stories": _l("What the city tells of its data"),
}
SEVERITY_TITLES = {
    "minor": _l("Notice"),
    "moderate": _l("Warning"),
    "severe": _l("Severe warning"),
    "extreme": _l("Danger to life"),
}


class Condition(NamedTuple):
    """One condition in words."""

    label: str
    words: str


def say_selection(selection: Selection, profile: Profile, store: Store) -> list[Condition] | None:
    """Its conditions; None where one names what is not there, or not for everybody."""
    said: list[Condition | None] = []
    kinds = [str(KIND_TITLES[kind]) for kind in selection.kinds or KIND_TITLES]
    said.append(Condition(_("What"), ", ".join(kinds)))
    if selection.thing:
        said.append(_named(_("At"), _name_of(store, "Thing", selection.thing)))
    if selection.stream:
        said.append(_named(_("Readings"), _name_of(store, "Datastream", selection.stream)))
    if selection.dataset:
        dataset = profile.datasets.get(selection.dataset)
        known = dataset is not None and may_know(dataset, ANONYMOUS)
        said.append(_named(_("Dataset"), say(dataset.title) if dataset is not None and known else ""))
    if selection.alert:
        said.append(_named(_("Alert"), _alert_of(profile, selection.alert)))
    if selection.near:
        lon, lat, metres = selection.near
        words = _("%(metres)s metres around %(lat)s° north, %(lon)s° east")
        said.append(Condition(_("Where"), words % {"metres": formats.number_format(metres, 0),
                                                  "lat": formats.number_format(lat, 5),
                                                  "lon": formats.number_format(lon, 5)}))  # fmt: skip
    if selection.district:
        there = area_of(profile.geography, selection.district) is not None
        said.append(_named(_("District"), selection.district if there else ""))
    if selection.street:
        said.append(Condition(_("Street"), selection.street))
    if selection.severity:
        said.append(Condition(_("At least"), str(SEVERITY_TITLES[selection.severity])))
    return None if None in said else [each for each in said if each is not None]


def title_of(conditions: list[Condition]) -> str:
    """A selection in one line."""
    kinds, *rest = (condition.words for condition in conditions)
    return f"{', '.join(rest)} ({kinds})" if rest else kinds


def _named(label: str, name: str) -> Condition | None:
    return Condition(label, name) if name else None


def _name_of(store: Store, entity: str, key: str) -> str:
    """What everybody may see of it; "" for what is hidden, simulated or not there."""
    question = Query(entity=entity, reader=ANONYMOUS, id=key, select=("name",), top=1, simulated=False)
    rows = store.find(question).rows
    return str(rows[0][2] or key) if rows else ""


def _alert_of(profile: Profile, key: str) -> str:
    """A public alert's title; "" for one on data that are not open, too."""
    alert = profile.alerts.get(key)
    dataset = profile.datasets.get(alert.dataset) if alert is not None else None
    if alert is None or dataset is None or not alert.public or not may_read(dataset, ANONYMOUS):
        return ""
    return say(alert.title)


class Line(NamedTuple):
    """A happening in words of the active language."""

    title: str
    text: str
    mark: str
    """``Warning``, ``cancelled``; "" for what needs none."""
    when: str
    where: str
    page: str
    changed: datetime


def say_happening(happening: Happening, zone: str) -> Line:
    """In the active language and the city's time."""
    mark = str(SEVERITY_TITLES.get(happening.severity, ""))
    if happening.state == "cancelled":
        mark = _("cancelled or ended early")
    elif happening.state == "over":
        mark = _("over")
    language = get_language() or "de"
    return Line(
        title=say(happening.title, language),
        text=say(happening.text, language),
        mark=mark,
        when=say_span(happening.since, happening.until, zone),
        where=happening.address,
        page=happening.page,
        changed=to_datetime(happening.changed),
    )


def say_span(since: int | None, until: int | None, zone: str) -> str:
    """From when until when, in the city's time."""
    if since is not None and until is not None:
        return _("%(since)s to %(until)s") % {"since": _moment(since, zone), "until": _moment(until, zone)}
    if since is not None:
        return _("since %(since)s") % {"since": _moment(since, zone)}
    return _("until %(until)s") % {"until": _moment(until, zone)} if until is not None else ""


def _moment(micros: int, zone: str) -> str:
    local = timezone.localtime(to_datetime(micros), ZoneInfo(zone))
    return formats.date_format(local, "SHORT_DATETIME_FORMAT")
