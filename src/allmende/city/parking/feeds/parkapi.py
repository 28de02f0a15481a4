"""Sites, bays and sources as ParkAPI version 3 gives them (github.com/ParkenDD/park-api-v3, read on 2026-07-18).

Lists are pages of ``items`` with ``total_count``; where there is a next one, ``next_id`` goes into ``start`` and
``next_path`` is its address. A site's ``id`` is a number made of the Thing's id, which is its ``original_uid``. As in
the reference server, live fields are there only while ``has_realtime_data`` is true, unknown fields are left out, and a
site without a position is not listed, since clients take its coordinates for granted. What ParkAPI has no word for is
told by ``tags``: ``simulated``, ``estimated``, ``implausible:above-capacity``; an implausible number is left out.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from allmende.city.parking.feeds.versions import number_of, said_at
from allmende.city.parking.sites import Site
from allmende.city.parking.state import SiteState, Spaces
from allmende.domain.errors import InvalidInput
from allmende.domain.profile import Profile

MOST = 1000
"""Items of a page, as in the reference server."""
KINDS = ("disabled", "woman", "family", "charging", "carsharing", "truck", "bus")
_AUDIENCES = {
    "disabled": "DISABLED",
    "woman": "WOMEN",
    "family": "FAMILY",
    "charging": "CHARGING",
    "carsharing": "CARSHARING",
    "truck": "TRUCK",
    "bus": "BUS",
    "caravan": "CARAVAN",
}
_PLAIN = (
    "operator_name", "public_url", "address", "type", "max_stay", "max_height", "max_width", "has_lighting",
    "is_covered", "fee_description", "has_fee", "park_and_ride_type", "supervision_type", "photo_url",
    "related_location", "orientation", "side", "parking_type", "linear_parking_position", "opening_hours",
    "capacity_min", "capacity_max", "external_identifiers",
)  # fmt: skip
_EARTH = 6_371_000.0


class Found(NamedTuple):
    """A page of a list, and the way to the next."""

    items: list[dict[str, Any]]
    total: int
    next: int | None


def as_site(state: SiteState, zones: Mapping[str, Site] = {}) -> dict[str, Any]:
    """A car park, area or zone; ``zones`` by their ids, of which one may be its ``group``."""
    site, live = state.site, _is_live(state)
    found = _common(state)
    found |= {name: value for name in _PLAIN if (value := site.fact(name)) is not None}
    found.setdefault("type", "OTHER")
    supervised = site.fact("supervision_type")
    if supervised is not None:
        found["is_supervised"] = supervised != "NO"
    if state.capacity is not None:
        found["capacity"] = site.fact("capacity") if site.fact("capacity") is not None else state.capacity
    restrictions = list(site.fact("restrictions") or [])
    for kind, spaces in state.spaces.items():
        if kind in KINDS:
            found |= _spaces(spaces, site.fact(f"capacity_{kind}"), f"_{kind}", live=live and not state.flags)
        if kind in _AUDIENCES and spaces.capacity is not None:
            said = _spaces(spaces, spaces.capacity, "", live=live and not state.flags)
            restrictions.append({"type": _AUDIENCES[kind], **said})
    _restrict(found, restrictions)
    if zone := zones.get(site.parent or ""):
        said_of = _instant(said_at(zone))
        found["group"] = {"id": number_of(zone.id), "source_id": number_of(zone.source or "profile"),
                          "original_uid": zone.id, "created_at": said_of, "modified_at": said_of}  # fmt: skip
    if live:
        if state.capacity is not None:
            found["realtime_capacity"] = state.capacity
        if state.status == "closed":
            found |= {"realtime_opening_status": "CLOSED", "realtime_free_capacity": 0}
        elif state.free is not None and not state.flags:
            found["realtime_free_capacity"] = max(state.free, 0)
    return found


def as_spot(state: SiteState) -> dict[str, Any]:
    """A single bay."""
    site = state.site
    found = _common(state)
    plain = ("address", "type", "external_identifiers")
    found |= {name: value for name in plain if (value := site.fact(name)) is not None}
    if site.parent:
        found["parking_site_id"] = number_of(site.parent)
    kinds = [kind for kind in state.spaces if kind in _AUDIENCES and state.spaces[kind].capacity]
    restrictions = [*(site.fact("restrictions") or []), *({"type": _AUDIENCES[kind]} for kind in kinds)]
    _restrict(found, restrictions)
    if found["has_realtime_data"]:
        known = state.free is not None and not state.flags
        found["realtime_status"] = ("AVAILABLE" if state.free else "TAKEN") if known else "UNKNOWN"
    return found


def as_source(profile: Profile, source: str, states: Iterable[SiteState]) -> dict[str, Any]:
    """Where sites come from: a source of the city's profile."""
    told = profile.sources.get(source)
    dataset = profile.datasets.get(told.dataset) if told else None
    language = profile.languages[0] if profile.languages else "de"
    stamps = [state.stamp for state in states if state.stamp]
    named = (told.title.get(language) or next(iter(told.title.values()), source)) if told else source
    found: dict[str, Any] = {"id": number_of(source), "uid": source, "name": named}
    if dataset is not None:
        found |= {
            "attribution_license": dataset.licence,
            "attribution_contributor": dataset.attribution,
            "public_url": dataset.landing_page,
        }
    if stamps:
        found["realtime_data_updated_at"] = _instant(max(stamps))
    found["realtime_status"] = "ACTIVE" if stamps else "PROVISIONED"
    found["static_status"] = "ACTIVE"
    return {name: value for name, value in found.items() if value not in (None, "")}


def _restrict(found: dict[str, Any], restrictions: list[Any]) -> None:
    """Also under the former name, which has those alone that hold for all spaces."""
    if restrictions:
        found["restrictions"] = restrictions
        whole = [{name: each[name] for name in ("type", "hours", "max_stay") if each.get(name) is not None}
                 for each in restrictions if isinstance(each, dict) and each.get("capacity") is None]  # fmt: skip
        if whole:
            found["restricted_to"] = whole


def zones_of(states: Iterable[SiteState]) -> dict[str, Site]:
    """The zones among the sites, which ParkAPI calls groups."""
    return {state.site.stands_for: state.site for state in states if state.site.kind == "parking-zone"}


def _common(state: SiteState) -> dict[str, Any]:
    site = state.site
    said = _instant(said_at(site))
    found: dict[str, Any] = {
        "id": number_of(site.id),
        "source_id": number_of(site.source or "profile"),
        "original_uid": site.id,
        "name": site.name,
        "purpose": site.fact("purpose") or "CAR",
        "lat": site.lat,
        "lon": site.lon,
        "has_realtime_data": _is_live(state),
        "created_at": said,
        "modified_at": said,
        "static_data_updated_at": said,
    }
    if site.fact("description") or site.description:
        found["description"] = site.fact("description") or site.description
    if site.geometry is not None:
        found["geojson"] = site.geometry
    tags = [
        *(site.fact("tags") or []),
        *(["simulated"] if state.simulated else []),
        *(["estimated"] if state.estimated else []),
    ]
    tags += [f"implausible:{flag}" for flag in state.flags]
    if tags:
        found["tags"] = tags
    if found["has_realtime_data"] and state.stamp is not None:
        found["realtime_data_updated_at"] = _instant(state.stamp)
    return found


def _is_live(state: SiteState) -> bool:
    return state.status != "no-data" and state.stamp is not None


def _spaces(spaces: Spaces, stated: int | None, suffix: str, *, live: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if stated is not None:
        found[f"capacity{suffix}"] = stated
    if live and spaces.free is not None:
        if spaces.capacity is not None:
            found[f"realtime_capacity{suffix}"] = spaces.capacity
        found[f"realtime_free_capacity{suffix}"] = max(spaces.free, 0)
    return found


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def as_page(found: Found, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """A page as ParkAPI writes it; ``asked`` are the parameters of this one."""
    page: dict[str, Any] = {"items": found.items, "total_count": found.total}
    if found.next is not None:
        page["next_id"] = found.next
        page["next_path"] = f"{path}?{urlencode({**asked, 'start': found.next})}"
    return page


def as_geojson(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The same items as features at their points, or with their drawn outlines."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": item["id"],
                "geometry": item.get("geojson") or {"type": "Point", "coordinates": [item["lon"], item["lat"]]},
                "properties": {key: value for key, value in item.items() if key not in ("id", "geojson")},
            }
            for item in items
        ],
    }


def search(items: Iterable[dict[str, Any]], asked: Mapping[str, str], sources: Mapping[int, str]) -> Found:
    """The page of items that somebody asks for; raises InvalidInput that names the parameter.

    Filters: ``purpose``, ``type``, ``not_type``, ``name`` (a part of it), ``source_id``, ``source_uid``,
    ``source_uids`` (with commas), ``lat`` and ``lon`` with ``radius`` in metres, or as before ``location=lon,lat`` with
    ``radius`` in kilometres, ``lat_min``, ``lat_max``, ``lon_min``, ``lon_max``, ``parking_site_id``; pages: ``limit``
    and ``start``. As in the reference server there is no page without a limit; above MOST a limit is refused.
    """
    limit = _whole(asked, "limit", 1, MOST)
    start = _whole(asked, "start", 0, 2**63)
    fitting = [item for item in items if all(fits(item) for fits in _filters(asked, sources))]
    fitting.sort(key=lambda item: item["id"])
    rest = [item for item in fitting if start is None or item["id"] >= start]
    page = rest if limit is None else rest[:limit]
    following = rest[limit]["id"] if limit is not None and len(rest) > limit else None
    return Found(page, len(fitting), following)


def _filters(asked: Mapping[str, str], sources: Mapping[int, str]) -> list[Any]:
    found: list[Any] = []
    if name := asked.get("name"):
        found.append(lambda item: name.lower() in item["name"].lower())
    for key, field in (("purpose", "purpose"), ("type", "type")):
        if value := asked.get(key):
            found.append(lambda item, field=field, value=value: item.get(field) == value)
    if unwanted := asked.get("not_type"):
        found.append(lambda item: item.get("type") != unwanted)
    for key in ("source_id", "parking_site_id"):
        number = _whole(asked, key, 0, 2**63)
        if number is not None:
            found.append(lambda item, key=key, number=number: item.get(key) == number)
    uids = {each for key in ("source_uid", "source_uids") for each in asked.get(key, "").split(",") if each}
    if uids:
        found.append(lambda item: sources.get(item["source_id"]) in uids)
    for key, field, sign in (
        ("lat_min", "lat", 1),
        ("lat_max", "lat", -1),
        ("lon_min", "lon", 1),
        ("lon_max", "lon", -1),
    ):
        edge = _number(asked, key)
        if edge is not None:
            found.append(lambda item, field=field, sign=sign, edge=edge: sign * item[field] >= sign * edge)
    return [*found, *_around(asked)]


def _around(asked: Mapping[str, str]) -> list[Any]:
    lat, lon, radius = (_number(asked, key) for key in ("lat", "lon", "radius"))
    if location := asked.get("location"):
        parts = location.split(",")
        if len(parts) != 2:
            raise InvalidInput("location is %(given)s, not lon,lat", given=repr(location[:40]))
        lon, lat = (_number({"location": part}, "location") for part in parts)
        radius = None if radius is None else radius * 1000
    given = [value is not None for value in (lat, lon, radius)]
    if not any(given):
        return []
    if lat is None or lon is None or radius is None:
        raise InvalidInput("lat, lon and radius have all to be given where one is")
    return [lambda item: metres(lat, lon, item["lat"], item["lon"]) <= radius]


def metres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """The way between two places on a sphere; within a city no metre from what it is on the ellipsoid."""
    one, other = math.radians(lat), math.radians(other_lat)
    half = math.sin((other - one) / 2) ** 2
    half += math.cos(one) * math.cos(other) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(half)))


def _number(asked: Mapping[str, str], key: str) -> float | None:
    text = asked.get(key)
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InvalidInput("%(name)s is %(given)s, not a number", name=key, given=repr(text[:40]))
    return found


def _whole(asked: Mapping[str, str], key: str, least: int, most: int) -> int | None:
    text = asked.get(key)
    if not text:
        return None
    if len(text) > 20 or not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise InvalidInput(
            "%(name)s is %(given)s, not a whole number from %(least)s to %(most)s",
            name=key, given=repr(text[:40]), least=least, most=most,
        )  # fmt: skip
    return int(text)


def listed(states: Sequence[SiteState], *, bays: bool) -> list[SiteState]:
    """Those that ParkAPI lists as sites, or as spots, that stand somewhere."""
    return [state for state in states if (state.site.kind == "parking-bay") is bays and _stands(state.site)]


def _stands(site: Site) -> bool:
    return site.lat is not None and site.lon is not None
