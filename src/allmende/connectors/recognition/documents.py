"""A JSON document of strangers: GeoJSON, a list of objects, or the answer of an interface that is known."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from allmende.connectors.table.listed import COLUMNS, table_of
from allmende.domain.recognition.model import OWN_ID, Choice, Column, ColumnPlan, Plan, Recognition, Words
from allmende.domain.recognition.names import is_id, is_past, words_of

_DEPTH = 5
_USUAL = frozenset(
    {"features", "items", "records", "results", "data", "values", "entries", "rows", "elements", "stations"}
)
_ROWS = 6000
Document = Mapping[str, Any] | list[Any]


def of_interface(document: Document, address: str) -> Recognition | None:
    """What an interface is that the bundled connectors know; None for another."""
    found = document if isinstance(document, Mapping) else {}
    for test in (_gbfs, _sensorthings, _parkapi, _wzdx, _collections, _landing, _package):
        known = test(found, address)
        if known is not None:
            return known
    return None


def other(what: str, connector: str, reason: str, *, address: str = "", interval: str = "", **base: Any) -> Recognition:
    """What a connector of its own reads by itself."""
    plan = Plan(connector=connector, shape="other", base=base)
    return Recognition(
        what=what,
        connector=connector,
        confidence=0.95,
        reasons=(Words(reason),),
        plan=plan,
        address=address,
        interval=interval,
    )


def _gbfs(found: Mapping[str, Any], address: str) -> Recognition | None:
    data = found.get("data")
    if "last_updated" not in found or "ttl" not in found or not isinstance(data, Mapping):
        return None
    feeds = [data, *(value for value in data.values() if isinstance(value, Mapping))]
    if any(isinstance(each.get("feeds"), list) for each in feeds):
        return other(
            "GBFS", "gbfs", "It lists the feeds of a system of shared vehicles.", address=address, interval="PT5M"
        )
    return told("GBFS", "It is one feed of a system; give the address of gbfs.json, which lists all of them.")


def _sensorthings(found: Mapping[str, Any], address: str) -> Recognition | None:
    listed = found.get("value")
    if not isinstance(listed, list) or not listed or not all(isinstance(each, Mapping) for each in listed):
        return None
    names = {each.get("name") for each in listed}
    if {"Things", "Datastreams"} <= names:
        reason = "It lists the entities of SensorThings."
        return other("OGC SensorThings", "sensorthings", reason, address=address, interval="PT10M")
    if any("@iot.id" in each for each in listed):
        root = (
            address.split("/v1.1/")[0] + "/v1.1"
            if "/v1.1/" in address
            else address.split("/v1.0/")[0] + "/v1.0"
            if "/v1.0/" in address
            else ""
        )
        if root:
            reason = "These are entities of SensorThings: the whole server is mirrored, a filter chooses of it."
            return other("OGC SensorThings", "sensorthings", reason, address=root, interval="PT10M")
        return told(
            "OGC SensorThings",
            "These are entities of SensorThings; give the address of the server, which ends in v1.1.",
        )
    return None


def _parkapi(found: Mapping[str, Any], address: str) -> Recognition | None:
    items = found.get("items")
    if not isinstance(items, list) or not items or not isinstance(items[0], Mapping):
        return None
    if {"source_id", "original_uid"} <= items[0].keys() or "realtime_free_capacity" in items[0]:
        return other("ParkAPI", "parkapi", "It lists parking sites as ParkAPI does.", address=address, interval="PT5M")
    return None


def _wzdx(found: Mapping[str, Any], address: str) -> Recognition | None:
    if "road_event_feed_info" in found or ("feed_info" in found and "features" in found):
        return other("WZDx", "wzdx", "It is a feed of roadworks (WZDx).", address=address, interval="PT10M")
    return None


def _landing(found: Mapping[str, Any], address: str) -> Recognition | None:
    """The landing page of OGC API - Features (17-069r4, 7.2): the collections stand behind a link."""
    links = found.get("links")
    if not isinstance(links, list) or "features" in found or "collections" in found:
        return None
    data = [each.get("href") for each in links if isinstance(each, Mapping) and each.get("rel") in ("data", _DATA)]
    if not data or not isinstance(data[0], str):
        return None
    choice = Choice(key="address", value=data[0], label="collections")
    return Recognition(
        what="OGC API",
        connector="",
        confidence=0.9,
        reasons=(Words("It is the front page of an OGC API."),),
        choices=(choice,),
    )


_DATA = "http://www.opengis.net/def/rel/ogc/1.0/data"


def _collections(found: Mapping[str, Any], address: str) -> Recognition | None:
    listed = found.get("collections")
    if not isinstance(listed, list) or not isinstance(found.get("links"), list):
        return None
    root = address.split("?")[0].rstrip("/")
    choices = [
        Choice(key="address", value=f"{root}/{each['id']}/items", label=str(each.get("title") or each["id"])[:200])
        for each in listed
        if isinstance(each, Mapping) and isinstance(each.get("id"), str)
    ]
    reason = Words("It lists %(count)s collections of OGC API - Features.", {"count": len(choices)})
    return Recognition(
        what="OGC API - Features", connector="", confidence=0.95, reasons=(reason,), choices=tuple(choices)
    )


def _package(found: Mapping[str, Any], address: str) -> Recognition | None:
    """A package or resource of CKAN (API 3): what it lists may be taken."""
    result = found.get("result")
    if found.get("success") is not True or not isinstance(result, Mapping):
        return None
    resources = result.get("resources") if isinstance(result.get("resources"), list) else [result]
    choices = [
        Choice(
            key="address",
            value=each["url"],
            label=f"{each.get('name') or each['url']} ({each.get('format') or '?'})"[:200],
        )
        for each in resources or ()
        if isinstance(each, Mapping) and str(each.get("url", "")).startswith(("http://", "https://"))
    ]
    if not choices:
        return None
    reason = Words("It is an entry of a CKAN catalogue with %(count)s files.", {"count": len(choices)})
    return Recognition(what="CKAN", connector="", confidence=0.95, reasons=(reason,), choices=tuple(choices))


def told(what: str, text: str) -> Recognition:
    """What it is, and why no connector reads it as it is."""
    return Recognition(what=what, connector="", confidence=0.9, warnings=(Words(text),))


def features_at(document: Document) -> list[Mapping[str, Any]] | None:
    """The Features of GeoJSON; None for another document."""
    if isinstance(document, list):
        listed: Any = document
    elif document.get("type") == "FeatureCollection":
        listed = document.get("features")
    else:
        listed = [document] if document.get("type") == "Feature" else None
    if not isinstance(listed, list) or not all(
        isinstance(each, Mapping) and each.get("type") == "Feature" for each in listed[:50]
    ):
        return None
    return [each for each in listed if isinstance(each, Mapping)] if listed or isinstance(document, Mapping) else None


def lists_in(document: Document) -> list[tuple[str, list[Any]]]:
    """Lists of objects with the path to each: those that are called as usual first, then the longest."""

    def order(found: tuple[str, list[Any]]) -> tuple[bool, int]:
        return found[0].rpartition(".")[2] not in _USUAL, -len(found[1])

    return sorted(_lists(document, "", 0), key=order)


def _lists(value: Any, path: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, list):
        if value and sum(1 for each in value if isinstance(each, Mapping)) > len(value) / 2:
            yield path, value
    elif isinstance(value, Mapping) and depth < _DEPTH:
        for key, inner in value.items():
            if "." not in key:
                yield from _lists(inner, f"{path}.{key}" if path else key, depth + 1)


def as_cells(value: Any) -> str:
    """A value as the ``table`` connector writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Mapping | list):
        return msgspec.json.encode(value).decode()
    return " ".join(str(value).split())


def as_columns(items: list[Any]) -> dict[str, list[str]]:
    """Objects as columns of text."""
    rows = table_of(items[:_ROWS])
    return {name: [as_cells(row[place]) for row in rows[1:]] for place, name in enumerate(rows[0][:COLUMNS])}


def of_features(
    what: str, items: Sequence[Mapping[str, Any]], *, connector: str, crs: str, base: Mapping[str, Any]
) -> Recognition:
    """GeoJSON, or what GDAL made of another file."""
    rows = [each.get("properties") if isinstance(each.get("properties"), Mapping) else {} for each in items[:_ROWS]]
    own = [each.get("id") for each in items[:_ROWS]]
    columns = _properties(rows)  # type: ignore[arg-type]  # Mappings
    has_own = bool(own) and None not in own and len(set(map(str, own))) == len(own)
    key = (
        ""
        if has_own
        else next((name for name, cells in _by_name(columns) if all(cells) and len(set(cells)) == len(cells)), "")
    )
    found = [_of_property(name, cells, name == key) for name, cells in columns.items()]
    if has_own:
        found.insert(0, _own_id(own))
    reasons = [Words("%(count)s objects with shapes.", {"count": len(items)})]
    if crs:
        reasons.append(Words("Coordinates are in %(crs)s, as the file says.", {"crs": crs}))
    warnings = (
        [] if has_own or key or not items else [Words("Nothing tells every object from the others: it has no id.")]
    )
    plan = Plan(
        connector=connector,
        shape="objects",
        base=dict(base),
        columns=[ColumnPlan(column=each.name, meaning=each.meaning, title=each.name) for each in found],
        spare=[name for name, cells in columns.items() if all(cells) and len(set(cells)) == len(cells)],
    )
    return Recognition(
        what=what, connector=connector, confidence=0.95, reasons=tuple(reasons), warnings=tuple(warnings),
        columns=tuple(found), rows=len(rows), plan=plan,
    )  # fmt: skip


def _properties(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [as_cells(row.get(name)) for row in rows] for name in list(names)[:COLUMNS]}


def _by_name(columns: Mapping[str, list[str]]) -> list[tuple[str, list[str]]]:
    return sorted(columns.items(), key=lambda item: (not is_id(item[0]), "name" not in words_of(item[0])))


def _of_property(name: str, cells: list[str], key: bool) -> Column:
    said = [cell for cell in cells if cell]
    reason = (
        Words("Every row has another one.")
        if key
        else Words("A property of the object.")
        if said
        else Words("It is empty.")
    )
    meaning: Any = "id" if key else "attribute" if said else "leave"
    if said and is_past(name) and not key:
        reason = Words("A fact of the object.")
    return Column(
        name=name, kind="text" if said else "empty", empty=round(1 - len(said) / max(len(cells), 1), 4),
        examples=tuple(cell[:60] for cell in list(dict.fromkeys(said))[:3]), distinct=len(set(said)), meaning=meaning,
        reason=reason, confidence=0.9 if key and is_id(name) else 0.7, title=name,
    )  # fmt: skip


def _own_id(own: Sequence[Any]) -> Column:
    shown = tuple(str(each)[:60] for each in own[:3])
    return Column(
        name=OWN_ID, kind="text", empty=0.0, examples=shown, distinct=len(own), meaning="id",
        reason=Words("The file gives every object an id of its own."), confidence=0.95, title="id",
    )  # fmt: skip
