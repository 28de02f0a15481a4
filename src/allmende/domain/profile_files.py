"""A ``city.toml`` and the files beside it as a profile, and all of it checked: no house starts on half of one.

It opens no file: the outlines and tables that a profile names come in by ``files``.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.domain.alerts import check_alerts, parse_alerts, parse_channels
from allmende.domain.boards import FOLDER as BOARDS
from allmende.domain.boards import check_boards, parse_boards
from allmende.domain.dataset import (
    CatalogueProfile,
    DatasetProfile,
    Organisation,
    check_catalogue,
    check_datasets,
    check_organisations,
)
from allmende.domain.forecasts import ForecastProfile, check_forecasts, parse_calendar
from allmende.domain.harvest import HarvestProfile, check_harvests
from allmende.domain.licensing import PolicyProfile, check_policies
from allmende.domain.privacy import check_privacy, with_deletion
from allmende.domain.profile import Fact, Facts, Geography, Profile, SourceProfile, ThingProfile
from allmende.domain.profile_checks import (
    ProfileError,
    check_address,
    check_duration,
    check_id,
    check_origin,
    check_outline,
    check_own_contract,
    check_position,
    check_responsible,
    check_silence,
    check_time_zone,
    check_variables,
)
from allmende.domain.retention import check_names, parse_retention
from allmende.domain.rule_files import FOLDER, parse_rules
from allmende.domain.service import ORIGIN as GIVEN
from allmende.domain.service_tables import parse_services
from allmende.domain.stories import parse_stories
from allmende.domain.tables import convert, mapping, plain, tables
from allmende.domain.wording import (
    SameWords,
    check_words,
    parse_properties,
    rule_with_merged,
    with_merged,
)

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?\Z", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}\Z", re.ASCII)


def parse_profile(
    data: Mapping[str, object],
    files: Mapping[str, bytes] | None = None,
    rules: Mapping[str, Mapping[str, Any]] | None = None,
) -> Profile:
    """The checked profile of plain data (a read ``city.toml``).

    ``files`` holds by name what the profile names: outlines (a GeoJSON object in their place will do as well) and
    tables. ``rules`` is what the rule files among them say, where somebody read them already. Raises ProfileError with
    the first thing that is wrong and its place.
    """
    raw = plain(data)
    files = files or {}
    # Taken apart by hand, since msgspec names no keys of dictionaries in its errors.
    for name in ("groups", "rules"):
        if name in raw:
            raise ProfileError(name, "stand in files of their own beside city.toml: %(folder)sNAME.toml", folder=FOLDER)
    if "boards" in raw:
        raise ProfileError("boards", "stand in files of their own beside city.toml: %(folder)sNAME.toml", folder=BOARDS)
    groups, derived = parse_rules(files, rules)
    parts = {name: raw.pop(name) for name in Profile.__struct_fields__ if name in raw and name not in _HEAD}
    head = convert(raw, _Head, "", known=Profile.__struct_fields__)
    profile = Profile(
        **msgspec.structs.asdict(head),
        geography=_geography(mapping(parts.get("geography"), "geography"), files),
        facts=_facts(parts.get("facts", {}), "facts"),
        catalogue=convert(parts.get("catalogue", {}), CatalogueProfile, "catalogue"),
        organisations={
            key: convert({**body, "id": key}, Organisation, f"organisations.{key}")
            for key, body in tables(parts.get("organisations", {}), "organisations").items()
        },
        datasets={
            key: _dataset(key, body, files) for key, body in tables(parts.get("datasets", {}), "datasets").items()
        },
        things=_things(parts.get("things", [])),
        sources={key: _source(key, body, files) for key, body in tables(parts.get("sources", {}), "sources").items()},
        services=parse_services(parts.get("services", {}), files),
        groups=groups,
        rules=derived,
        properties=parse_properties(parts.get("properties", {})),
        synonyms={
            key: convert({**body, "id": key}, SameWords, f"synonyms.{key}")
            for key, body in tables(parts.get("synonyms", {}), "synonyms").items()
        },
        boards=parse_boards(files),
        stories=parse_stories(files, head.languages),
        retention=parse_retention(parts.get("retention", {})),
        policies={
            key: convert({**body, "id": key}, PolicyProfile, f"policies.{key}")
            for key, body in tables(parts.get("policies", {}), "policies").items()
        },
        harvests={
            key: convert({**body, "id": key}, HarvestProfile, f"harvests.{key}")
            for key, body in tables(parts.get("harvests", {}), "harvests").items()
        },
        calendar=parse_calendar(mapping(parts.get("calendar", {}), "calendar"), files),
        forecasts={
            key: convert({**body, "id": key}, ForecastProfile, f"forecasts.{key}")
            for key, body in tables(parts.get("forecasts", {}), "forecasts").items()
        },
        alerts=parse_alerts(parts.get("alerts", {}), groups),
        channels=parse_channels(parts.get("channels", {})),
    )
    _check(profile)
    words = profile.properties
    if any(each.merged_into for each in words.values()):
        read_anew = {key: rule_with_merged(words, rule) for key, rule in profile.rules.items()}
        kept = {
            key: msgspec.structs.replace(each, property=with_merged(words, each.property))
            for key, each in profile.retention.items()
        }
        watched = {key: rule_with_merged(words, alert) for key, alert in profile.alerts.items()}
        profile = msgspec.structs.replace(profile, rules=read_anew, retention=kept, alerts=watched)
    return msgspec.structs.replace(profile, retention=with_deletion(profile.retention, profile.datasets))


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of a profile that are no tables."""

    id: str
    name: str
    country: str
    time_zone: str
    languages: list[str]


_HEAD = frozenset(_Head.__struct_fields__)


def _facts(value: object, place: str) -> Facts:
    facts: Facts = {}
    for key, entry in mapping(value, place).items():
        if isinstance(entry, list):
            if not entry:
                raise ProfileError(f"{place}.{key}", "is an empty list; leave the fact out where nothing is known")
            facts[key] = [_fact(item, f"{place}.{key}[{index}]") for index, item in enumerate(entry)]
        else:
            facts[key] = _fact(entry, f"{place}.{key}")
    return facts


def _fact(value: object, place: str) -> Fact:
    fact = convert(value, Fact, place)
    if fact.value in (None, "", [], {}):
        raise ProfileError(f"{place}.value", "is empty; leave the fact out where nothing is known")
    check_origin(fact.source, fact.date, place)
    return fact


def _things(value: object) -> tuple[ThingProfile, ...]:
    if not isinstance(value, list):
        raise ProfileError("things", "is a list of tables, written [[things]]")
    things: dict[str, ThingProfile] = {}
    for index, item in enumerate(value):
        body = dict(mapping(item, f"things[{index}]"))
        place = f"things.{body['id']}" if isinstance(body.get("id"), str) else f"things[{index}]"
        facts = _facts(body.pop("facts", {}), f"{place}.facts")
        thing = msgspec.structs.replace(convert(body, ThingProfile, place), facts=facts)
        check_id(thing.id, f"{place}.id")
        check_id(thing.kind, f"{place}.kind")
        if thing.id in things:
            raise ProfileError(place, "is there twice; every thing has an id of its own")
        if thing.position is not None:
            check_position(thing.position.lon, thing.position.lat, f"{place}.position")
            check_origin(thing.position.source, thing.position.date, f"{place}.position")
        things[thing.id] = thing
    return tuple(things.values())


def _dataset(key: str, body: dict[str, Any], files: Mapping[str, bytes]) -> DatasetProfile:
    if isinstance(body.get("outline"), str) and body["outline"]:
        body = {**body, "outline": _outline(body["outline"], files, f"datasets.{key}.outline")}
    return convert({**body, "id": key}, DatasetProfile, f"datasets.{key}")


def _source(key: str, body: dict[str, Any], files: Mapping[str, bytes]) -> SourceProfile:
    place = f"sources.{key}"
    if "tables" in body:
        raise ProfileError(f"{place}.tables", 'is no known key; tables are named in settings, e.g. table = "means.csv"')
    source = convert({**body, "id": key}, SourceProfile, place)
    if source.interval:
        check_duration(source.interval, f"{place}.interval")
    check_address(source.address, f"{place}.address")
    check_variables(source.headers, source.secrets, place)
    check_responsible(source.responsible, f"{place}.responsible")
    check_own_contract(source.contract, f"{place}.contract")
    for name, value in mapping(source.settings.get("silence", {}), f"{place}.settings.silence").items():
        check_silence(name, value, f"{place}.settings.silence.{name}")
    names = source.settings.get("tables", [])
    if not isinstance(names, list):
        raise ProfileError(f"{place}.settings.tables", "is a list of file names, not %(names)s", names=repr(names))
    if "table" in source.settings:
        names = [source.settings["table"], *names]
    tables = {str(name): _file(name, files, f"{place}.settings.table") for name in names}
    return msgspec.structs.replace(source, tables=tables)


def _file(name: object, files: Mapping[str, bytes], place: str) -> bytes:
    if not isinstance(name, str) or not name:
        raise ProfileError(place, "is the name of a file beside city.toml, not %(name)s", name=repr(name))
    try:
        return files[name]
    except KeyError:
        raise ProfileError(place, 'there is no file "%(name)s" beside city.toml', name=name) from None


def _geography(body: dict[str, Any], files: Mapping[str, bytes]) -> Geography:
    loaded = dict(body)
    for key in ("boundary", "districts", "waters"):
        if key in loaded:
            loaded[key] = _outline(loaded[key], files, f"geography.{key}")
    geography = convert(loaded, Geography, "geography")
    check_position(*geography.center, "geography.center")
    if not 0 <= geography.zoom <= 24:
        raise ProfileError("geography.zoom", "lies between 0 and 24, %(zoom)s does not", zoom=f"{geography.zoom:g}")
    if not geography.attribution.strip():
        raise ProfileError("geography.attribution", "is empty; say whose outlines these are, and their licence")
    return geography


def _outline(value: object, files: Mapping[str, bytes], place: str) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(_file(value, files, place))
        except msgspec.DecodeError as error:
            raise ProfileError(place, '"%(value)s" is no JSON: %(error)s', value=value, error=error) from None
    return check_outline(value, place)


def _check(profile: Profile) -> None:
    """What goes beyond one table: names that point to each other, texts in every language."""
    check_id(profile.id, "id")
    if not profile.name.strip():
        raise ProfileError("name", "is empty")
    if not _COUNTRY.match(profile.country):
        raise ProfileError("country", '"%(country)s" is no country of ISO 3166-1, e.g. DE', country=profile.country)
    check_time_zone(profile.time_zone, "time_zone")
    if not profile.languages:
        raise ProfileError("languages", "is empty; name at least one")
    for index, language in enumerate(profile.languages):
        if not _LANGUAGE.match(language):
            raise ProfileError(f"languages[{index}]", '"%(language)s" is no language tag, e.g. de', language=language)
    texts = {f"datasets.{key}.title": dataset.title for key, dataset in profile.datasets.items()}
    texts |= {f"datasets.{key}.description": dataset.description for key, dataset in profile.datasets.items()}
    for key, dataset in profile.datasets.items():
        versions = enumerate(dataset.versions)
        texts |= {f"datasets.{key}.versions[{index}].reason": dict(version.reason) for index, version in versions}
        if dataset.withdrawn is not None:
            texts[f"datasets.{key}.withdrawn.reason"] = dict(dataset.withdrawn.reason)
    texts |= {f"things.{thing.id}.description": thing.description for thing in profile.things}
    texts |= {f"sources.{key}.title": source.title for key, source in profile.sources.items()}
    texts |= {f"harvests.{key}.title": harvest.title for key, harvest in profile.harvests.items()}
    texts |= {f"forecasts.{key}.title": forecast.title for key, forecast in profile.forecasts.items()}
    texts |= {f"{rule.place}.title": rule.title for rule in profile.rules.values()}
    for place, text in texts.items():
        for language in profile.languages:
            if not text.get(language, "").strip():
                raise ProfileError(f"{place}.{language}", "is missing: every language of the profile has its text")
    things = {thing.id for thing in profile.things}
    for key, source in profile.sources.items():
        if source.dataset not in profile.datasets:
            known = ", ".join(profile.datasets) or "none"
            raise ProfileError(
                f"sources.{key}.dataset",
                'there is no dataset "%(dataset)s"; there are %(known)s',
                dataset=source.dataset,
                known=known,
            )
        for name, thing in mapping(source.settings.get("places", {}), f"sources.{key}.settings.places").items():
            if thing not in things:
                raise ProfileError(
                    f"sources.{key}.settings.places.{name}", "there is no thing %(thing)s", thing=repr(thing)
                )
    for rule in profile.rules.values():
        if rule.dataset not in profile.datasets:
            known = ", ".join(profile.datasets) or "none"
            raise ProfileError(
                f"{rule.place}.dataset",
                'there is no dataset "%(dataset)s"; there are %(known)s',
                dataset=rule.dataset,
                known=known,
            )
    check_organisations(profile.organisations.values())
    check_catalogue(profile.catalogue)
    check_datasets(profile.datasets)
    check_harvests(profile.harvests)
    check_forecasts(profile.forecasts, profile.datasets)
    check_policies(profile.policies, profile.languages)
    check_boards(profile.boards, profile.languages)
    check_privacy(profile.datasets, profile.languages)
    check_words(profile.properties, profile.synonyms, profile.languages)
    derived = [*(f"rule/{key}" for key in profile.rules), *(f"forecast/{key}" for key in profile.forecasts)]
    derived += [f"{GIVEN}{key}" for key in profile.services]
    check_names(profile.retention, profile.datasets, [*profile.sources, *derived])
    check_alerts(profile.alerts, profile.channels, profile.datasets, profile.languages)
