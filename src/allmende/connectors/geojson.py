"""GeoJSON of others as features: a FeatureCollection, a list of Features, or one, as the settings of a source say.

``id``          where the id stands: a path such as ``properties.number``; else the Feature's own ``id``
``valid_from``, ``valid_to``
                paths of the times, e.g. ``properties.validity.from``
``time_forms``  forms of ``strptime`` in which times come on the city's clock (see ``moments.py``)
``drop``        names of properties that are not kept: contacts of people, the time of the export
``crs``         the system of the coordinates, where the document names none; else EPSG:4326
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from allmende.connectors.geodesy import epsg, in_degrees
from allmende.connectors.moments import moment
from allmende.connectors.objects import Gathered, collection_of, nothing
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.ids import normalise
from allmende.domain.records import Feature, Parsed

Adapt = Callable[[dict[str, Any]], dict[str, Any]]


class _Rules(NamedTuple):
    id: str
    start: str
    end: str
    forms: Sequence[str]
    drop: frozenset[str]
    zone: str


def read_features(
    payload: Payload, source: Source, *, title: Mapping[str, str], adapt: Adapt | None = None, page: bool = False
) -> Parsed:
    """The features of a document of JSON: see :func:`features_of`."""
    try:
        document = msgspec.json.decode(payload.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return nothing(payload, f"this is no JSON: {error}")
    return features_of(document, payload, source, title=title, adapt=adapt, page=page)


def features_of(
    document: Any,
    payload: Payload,
    source: Source,
    *,
    title: Mapping[str, str],
    adapt: Adapt | None = None,
    page: bool = False,
) -> Parsed:
    """The features of a decoded document. ``adapt`` changes properties before they are kept; may raise InvalidInput.

    A page of several is one of a complete delivery only with ``page``: who asks for all of them sees to that.
    """
    items = _items(document)
    if items is None:
        return nothing(payload, "this is no GeoJSON: neither a FeatureCollection nor Features", "no-features")
    gathered = Gathered(collection_of(source, title=title))
    try:
        code = epsg(_crs(document) or source.settings.get("crs") or 4326)
    except InvalidInput as error:
        return nothing(payload, str(error), "bad-crs")
    rules = _rules(source)
    for place, item in enumerate(items):
        name = _name(item, rules)
        try:
            feature = _feature(item, name, rules, code, adapt)
        except InvalidInput as error:
            body = _alone(document, item)
            gathered.reject(str(error), body, code="bad-feature", where=f"feature {place + 1}", name=name)
        else:
            gathered.add(feature, partial(_alone, document, item))
    if not page and isinstance(document, dict) and _has_next(document):
        reason = "this is one page of several, which were not all read: nothing is taken for gone"
        body = msgspec.json.encode({"type": "FeatureCollection", "features": [], "links": document["links"]})
        gathered.reject(reason, body, code="not-all")
    return gathered.parsed()


def _items(document: Any) -> list[Any] | None:
    if isinstance(document, list):
        found = document
    elif isinstance(document, dict) and document.get("type") == "Feature":
        found = [document]
    elif isinstance(document, dict) and document.get("type") == "FeatureCollection":
        found = document.get("features")
    else:
        return None
    return found if isinstance(found, list) else None


def _has_next(document: dict[str, Any]) -> bool:
    links = document.get("links")
    return isinstance(links, list) and any(isinstance(link, dict) and link.get("rel") == "next" for link in links)


def _crs(document: Any) -> str:
    """The system that a document names, as GeoJSON of 2008 did."""
    said = document.get("crs") if isinstance(document, dict) else None
    inner = said.get("properties") if isinstance(said, dict) else None
    return str(inner.get("name", "")) if isinstance(inner, dict) else ""


def _alone(document: Any, item: Any) -> bytes:
    if not isinstance(document, dict) or "crs" not in document:
        return msgspec.json.encode([item])
    return msgspec.json.encode({"type": "FeatureCollection", "crs": document["crs"], "features": [item]})


def _rules(source: Source) -> _Rules:
    settings = source.settings
    forms = settings.get("time_forms") or ()
    return _Rules(
        id=str(settings.get("id") or "id"),
        start=str(settings.get("valid_from") or ""),
        end=str(settings.get("valid_to") or ""),
        forms=[str(form) for form in ([forms] if isinstance(forms, str) else forms)],
        drop=frozenset(map(str, settings.get("drop") or ())),
        zone=source.time_zone,
    )


def _name(item: Any, rules: _Rules) -> str:
    """The id, "" where there is none."""
    said = at_path(item, rules.id)
    try:
        return normalise(said)
    except InvalidInput:
        return ""


def _feature(item: Any, name: str, rules: _Rules, code: int, adapt: Adapt | None) -> Feature:
    if not isinstance(item, dict) or item.get("type") != "Feature":
        raise InvalidInput("this is no GeoJSON Feature")
    if not name:
        raise InvalidInput(f"it has no id at {rules.id!r}")
    geometry, properties = item.get("geometry"), item.get("properties")
    if not isinstance(properties, dict | None) or not isinstance(geometry, dict | None):
        raise InvalidInput("its geometry or its properties are no objects")
    kept = {key: value for key, value in (properties or {}).items() if key not in rules.drop}
    return Feature(
        id=name,
        geometry=None if geometry is None else in_degrees(geometry, code),
        properties=kept if adapt is None else adapt(kept),
        valid_from=_time(item, rules.start, rules, end=False),
        valid_to=_time(item, rules.end, rules, end=True),
    )


def _time(item: dict[str, Any], path: str, rules: _Rules, *, end: bool) -> int | None:
    said = at_path(item, path) if path else None
    if said is None or said == "":
        return None
    if not isinstance(said, str):
        raise InvalidInput(f"its {path} is no time: {str(said)[:60]}")
    return moment(said, zone=rules.zone, forms=rules.forms, end=end)


def at_path(item: Any, path: str) -> Any:
    """What lies at ``a.b.c`` inside of objects, None where there is nothing."""
    for step in path.split("."):
        if not isinstance(item, dict):
            return None
        item = item.get(step)
    return item
