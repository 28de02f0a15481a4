"""A page of parking sites, or one site."""

from typing import Any

import msgspec

from allmende.connectors import parking
from allmende.connectors.gathering import (
    Gathered,
    Refused,
    identity,
    listed,
    position,
    read_json,
    refuse_all,
    shown,
    table,
    text,
    whole,
)
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Declaration, Parsed, SensorDeclaration, ThingDeclaration
from allmende.domain.times import parse_instant

_KINDS = ("", "disabled", "woman", "family", "charging", "carsharing", "truck", "bus")
_FACTS = (
    "type", "purpose", "operator_name", "address", "public_url", "photo_url", "description", "capacity", "capacity_min",
    "capacity_max", *(f"capacity_{kind}" for kind in _KINDS if kind), "max_height", "max_width", "max_stay",
    "opening_hours", "has_fee", "fee_description", "park_and_ride_type", "supervision_type", "has_lighting",
    "is_covered", "orientation", "side", "parking_type", "linear_parking_position", "related_location", "restrictions",
    "external_identifiers", "tags", "static_data_updated_at",
)  # fmt: skip
_SPOT_FACTS = (
    "type", "purpose", "address", "description", "restrictions", "external_identifiers", "tags",
    "static_data_updated_at",
)  # fmt: skip
_LONGEST = 8_192
"""Characters of a fact as JSON: a longer one is not what it should be."""
_LONGEST_OUTLINE = 262_144
_OUTLINES = ("Polygon", "MultiPolygon", "LineString", "MultiLineString")
_IDENTITY = ("id", "original_uid", "name", "lat", "lon", "has_realtime_data", "realtime_data_updated_at")


def parse(payload: Payload, source: Source) -> Parsed:
    """Free spaces and capacity of each site with live data; a rejection for each value or site that cannot be read."""
    try:
        document = read_json(payload.body)
        items = document.get("items") if isinstance(document, dict) and "items" in document else [document]
        if not isinstance(items, list) or not isinstance(document, dict):
            raise Refused("no-sites", "the document is no page of parking sites (items)")
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    groups = {table(table(site).get("group")).get("id") for site in items}
    reader = _Reader(source, {each for each in groups if isinstance(each, int)})
    for index, site in enumerate(items):
        reader.read(site, f"items[{index}]")
    return reader.gathered.parsed()


class _Reader:
    def __init__(self, source: Source, groups: set[int]) -> None:
        self.gathered = Gathered()
        self._groups = groups
        self._source = source
        prefix = source.settings.get("prefix")
        self._prefix = prefix if isinstance(prefix, str) and prefix else source.id
        # of its own, since a city may read two servers into two datasets, and a sensor belongs to one
        self._sensor = SensorDeclaration(
            id=f"{self._prefix}-parkapi", name="ParkAPI v3", metadata="https://github.com/ParkenDD"
        )
        places = source.settings.get("places")
        self._places = places if isinstance(places, dict) else {}

    def read(self, site: Any, where: str) -> None:
        """One site."""
        said = table(site)
        try:
            if "realtime_status" in said or "parking_site_id" in said:
                self._spot(said)
                return
            thing = self._thing(said)
            live = said.get("has_realtime_data")
            if not isinstance(live, bool):
                raise Refused("no-values", "the site does not say whether it has live data (has_realtime_data)")
            if not live:
                self.gathered.declare(self._declare(thing, "free", "", said))
                return
            moment = said.get("realtime_data_updated_at")
            try:
                time = parse_instant(moment if isinstance(moment, str) else "")
            except InvalidInput as error:
                raise Refused("bad-time", f"realtime_data_updated_at: {error}") from None
            if not any(f"realtime_{name}" in said for name in ("free_capacity", "capacity")):
                raise Refused("no-values", "the site has neither free spaces nor a capacity")
        except Refused as refused:
            self.gathered.refuse(refused, msgspec.json.encode({"items": [site]}), where)
            return
        for kind in _KINDS:
            self._kind(said, thing, kind, time, where)

    def _spot(self, said: Any) -> None:
        """A single bay (``parking-spots``): taken or not, where it says so."""
        number = said.get("id")
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise Refused("no-identity", f"{shown(number)} is no id of a bay")
        audiences = {str(table(each).get("type")) for each in listed(said.get("restrictions"))}
        about: dict[str, Any] = {"kind": "parking-bay", "reference": str(number), "capacity": 1}
        if "DISABLED" in audiences:
            about["capacity_disabled"] = 1
        described = {key: said[key] for key in _SPOT_FACTS if said.get(key) not in (None, "")}
        if described := {key: each for key, each in described.items() if len(msgspec.json.encode(each)) <= _LONGEST}:
            about["described"] = described
        if isinstance(said.get("parking_site_id"), int):
            about["parent"] = f"{self._prefix}-{said['parking_site_id']}"
        bay = ThingDeclaration(
            id=f"{self._prefix}-{number}",
            name=text(said.get("name"))[:200] or str(number),
            properties=about,
            position=position(said.get("lon"), said.get("lat")),
        )
        declared = parking.declare_bay(self._source, bay, self._sensor)
        self.gathered.declare(declared)
        taken = {"TAKEN": 1, "AVAILABLE": 0}.get(str(said.get("realtime_status")))
        if said.get("has_realtime_data") is True and taken is not None:
            moment = said.get("realtime_data_updated_at")
            try:
                time = parse_instant(moment if isinstance(moment, str) else "")
            except InvalidInput as error:
                raise Refused("bad-time", f"realtime_data_updated_at: {error}") from None
            self.gathered.add(declared, time, taken)

    def _kind(self, said: Any, thing: ThingDeclaration, kind: str, time: int, where: str) -> None:
        values: dict[str, int] = {}
        for quantity, name in (("capacity", "realtime_capacity"), ("free", "realtime_free_capacity")):
            key = f"{name}_{kind}" if kind else name
            if said.get(key) is None:
                if quantity == "free" and not kind and key in said:
                    # live, and it does not know: what was counted before does not hold any longer
                    self.gathered.add(self._declare(thing, quantity, kind, said), time, None, "no-number")
                continue
            try:
                values[quantity] = whole(said[key], key)
            except Refused as refused:
                kept = {name_: said[name_] for name_ in (*_IDENTITY, key) if name_ in said}
                # the plain keys say that there are values at all
                kept.setdefault("realtime_capacity", None)
                self.gathered.refuse(refused, msgspec.json.encode({"items": [kept]}), f"{where}, {key}")
                if quantity == "free":
                    declared = self._declare(thing, quantity, kind, said)
                    self.gathered.add(declared, time, None, parking.unread(said[key]))
        state = said.get("realtime_opening_status")
        states = {"closed"} if isinstance(state, str) and state not in ("OPEN", "UNKNOWN", "") else set()
        for quantity, count in values.items():
            flag = parking.doubt(quantity, values, states)
            self.gathered.add(self._declare(thing, quantity, kind, said), time, count, flag)

    def _declare(self, thing: ThingDeclaration, quantity: str, kind: str, said: Any) -> Declaration:
        stated = said.get(f"capacity_{kind}" if kind else "capacity")
        high = stated if isinstance(stated, int) and not isinstance(stated, bool) and quantity == "free" else None
        declared = parking.declare(
            self._source, thing, quantity, self._sensor, high=high, properties=parking.stream_properties(self._source)
        )
        if not kind:
            return declared
        return parking.declare_for(declared, kind)

    def _thing(self, said: Any) -> ThingDeclaration:
        id_ = said.get("id")
        if isinstance(id_, bool) or not isinstance(id_, int) or id_ < 0:
            raise Refused("no-identity", f"{shown(id_)} is no id of a site")
        name = identity(said.get("name"), "name")
        own = self._places.get(str(id_))
        known = self._source.things.get(own) if isinstance(own, str) else None
        stated = {key: said[key] for key in _FACTS if said.get(key) not in (None, "")}
        described = {key: value for key, value in stated.items() if len(msgspec.json.encode(value)) <= _LONGEST}
        place = parking.position(known) if known else None
        group, drawn = table(said.get("group")).get("id"), table(said.get("geojson"))
        about: dict[str, Any] = {"parent": f"{self._prefix}-{group}"} if isinstance(group, int) else {}
        if drawn.get("type") in _OUTLINES and len(msgspec.json.encode(drawn)) <= _LONGEST_OUTLINE:
            about["outline"] = drawn
        return ThingDeclaration(
            id=known.id if known else f"{self._prefix}-{id_}",
            name=known.name if known else name,
            description=(known.description if known else "") or text(said.get("description"))[:1000],
            properties={
                "kind": "parking-zone" if id_ in self._groups else "car-park",
                "reference": str(id_),
                **about,
                **(parking.thing_properties(known) if known else {}),
                "described": {
                    key: value for key, value in described.items() if len(msgspec.json.encode(value)) <= _LONGEST
                },
            },
            position=place or position(said.get("lon"), said.get("lat")),
        )
