"""What is said of datasets and their sensors, for one reader."""

import time
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.domain.catalogue import may_read
from allmende.domain.dataset import DatasetProfile
from allmende.domain.errors import NotFound
from allmende.domain.figures import StreamSummary
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.retention import FOREVER, LATEST, Retention, RetentionProfile, StreamFacts
from allmende.web.accounts.roles import ROLES
from allmende.web.catalogue.files import each_stream
from allmende.web.catalogue.own import SERIES, described
from allmende.web.grants.forms import ROLE_TITLES
from allmende.web.grants.grants import Received, recipients, recipients_before
from allmende.web.house import House, open_store
from allmende.web.office.durations import in_words
from allmende.web.portal.sources import spoken

KEPT_SECONDS = 60.0


class Sensor(NamedTuple):
    """A thing with what it records. ``place`` is lon, lat."""

    id: str
    name: str
    place: tuple[float, float] | None
    records: list[str]
    kept: list[str]


class Told(NamedTuple):
    """A dataset in words of the active language; ``sensors`` is empty where the reader may not see its data."""

    dataset: DatasetProfile
    title: str
    description: str
    purpose: str
    legal_basis: str
    kept: list[str]
    sensors: list[Sensor]
    recipients: list[tuple[str, str, date]]
    before: list[Received]
    """Those whose time is over."""


def told_datasets(house: House, only: Iterable[str] | None = None) -> list[Told]:
    """Those that the reader may know of, without the simulated: there is no sensor behind them. Citizens' sensors stand
    together under their series, if none of them is asked for by its own id."""
    wanted = None if only is None else set(only)
    known = _known(house)
    datasets = [each for each in known if (each.part_of != SERIES if wanted is None else each.id in wanted)]
    closed = [each.id for each in datasets if each.access != "open"]
    received, before = recipients(closed), recipients_before(closed)
    members = [each for each in known if each.part_of == SERIES]
    return [
        _told(house, each, members if each.id == SERIES else [each], received.get(each.id, []), before.get(each.id, []))
        for each in datasets
    ]


def datasets_of(house: House, thing_id: str) -> list[str]:
    """The datasets in which the reader may see a thing. Of what is hidden and what is not there the same is asked."""
    found = []
    for each in _known(house):
        if each.part_of == SERIES and each.id != thing_id:  # a citizen's sensor is a thing of its dataset's id
            continue
        try:
            house.store.feature(house.reader, each.id, thing_id, things=True)
        except NotFound:
            continue
        found.append(each.id)
    return found


def _known(house: House) -> list[DatasetProfile]:
    every = described(house.profile).datasets.values()
    return [each for each in every if house.knows(each) and not each.simulated and each.withdrawn is None]


class _Kept(NamedTuple):
    profile: Profile
    entities: int
    read: float
    sensors: list[Sensor]


_kept: dict[tuple[object, str, str], _Kept] = {}
"""By store, dataset and language: what everybody may see."""


def forget() -> None:
    """Know nothing, as a process that has just started."""
    _kept.clear()


def _sensors_for(house: House, dataset: DatasetProfile) -> list[Sensor]:
    """The sensors of a dataset. Those of an open one are worked out once for all, until an entity or the profile is
    another, or KEPT_SECONDS are over: a place that readings tell comes without an entity being changed."""
    if not may_read(dataset, house.reader):
        return []
    if dataset.access != "open":
        return _sensors(house.profile, dataset, each_stream(house.store, house.reader, dataset.id))
    store = open_store()
    key = (store, dataset.id, get_language() or "")
    entities, now = store.newest_entity_change(), time.monotonic()
    known = _kept.get(key)
    same = known is not None and known.profile is house.profile and known.entities == entities
    if known is None or not same or now - known.read > KEPT_SECONDS:
        found = _sensors(house.profile, dataset, each_stream(store, ANONYMOUS, dataset.id))
        known = _kept[key] = _Kept(house.profile, entities, now, found)
    return known.sensors


def _told(
    house: House,
    dataset: DatasetProfile,
    parts: Iterable[DatasetProfile],
    received: list[tuple[str, str, date]],
    before: list[Received],
) -> Told:
    """``parts``: the datasets that have its sensors."""
    found = [sensor for part in parts for sensor in _sensors_for(house, part)]
    sensors = sorted(found, key=lambda each: (each.name.casefold(), each.id))
    return Told(
        dataset=dataset,
        title=spoken(dataset.title),
        description=spoken(dataset.description),
        purpose=spoken(dataset.personal.purpose) if dataset.personal else "",
        legal_basis=spoken(dataset.legal_basis),
        kept=list(dict.fromkeys(words for sensor in sensors for words in sensor.kept)),
        sensors=sensors,
        recipients=[(_receiver(name), purpose, until) for name, purpose, until in received],
        before=[each._replace(name=_receiver(each.name)) for each in before],
    )


def _receiver(name: str) -> str:
    """Organisations by their title, a role by its word; of persons that they are persons."""
    if not name:
        return _("a person")
    head, _space, last = name.rpartition(" ")
    return f"{head} {ROLE_TITLES[last]}".strip() if last in ROLES else name


def _sensors(profile: Profile, dataset: DatasetProfile, streams: Iterable[StreamSummary]) -> list[Sensor]:
    rules = Retention(profile.retention, profile.time_zone)
    found: dict[str, Sensor] = {}
    for stream in streams:
        if not stream.thing_id:
            continue
        place = None if stream.lon is None or stream.lat is None else (stream.lon, stream.lat)
        held = found.get(stream.thing_id) or Sensor(stream.thing_id, stream.thing or stream.thing_id, place, [], [])
        facts = StreamFacts(
            id=stream.id, dataset=dataset.id, source=stream.source, properties=(stream.property_id,), count=stream.count
        )
        _add(held.records, stream.property)
        _add(held.kept, keeping(rules.rule_of(facts)))
        found[stream.thing_id] = held if held.place else held._replace(place=place)
    return sorted(found.values(), key=lambda each: (each.name.casefold(), each.id))


def _add(words: list[str], word: str) -> None:
    if word not in words:
        words.append(word)


def keeping(rule: RetentionProfile | None) -> str:
    """For how long, in words."""
    if rule is None:
        return _("for good")
    if rule.keep == LATEST:
        return _("only the newest value")
    words = _("for good") if rule.keep == FOREVER else _("for %(span)s") % {"span": in_words(rule.keep)}
    for step in rule.thin:
        said = {"words": words, "after": in_words(step.after), "bucket": in_words(step.bucket)}
        words = _("%(words)s; after %(after)s one value for each %(bucket)s") % said
    return words
