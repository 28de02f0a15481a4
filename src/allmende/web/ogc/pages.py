"""The interface's answers as pages: what the face says, drawn by templates. They need no script."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
import shapely
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from shapely.errors import ShapelyError

from allmende.domain.face import Response
from allmende.domain.features import Box
from allmende.faces.dcat.schema_org import data_block
from allmende.faces.ogc.answers import Page
from allmende.faces.ogc.layers import Layer
from allmende.faces.ogc.options import ITEMS, RECORDS
from allmende.faces.ogc.records import COLLECTION
from allmende.web.catalogue.sketch import draw as draw_sketch

_LONG = 120
"""Signs of a text that a table shows; the object's own page has all of them."""
_ASIDE = (".unit", ".time", ".flags")
"""Ends of names that tell of a thing's value: they stand in its cell."""
PATH = "ogc/v1"
"""Where the interface begins."""
_HTML = "text/html; charset=utf-8"
_FIELDS = ("filter", "datetime", "bbox", "limit")
_FIELDS_OF_RECORDS = ("q", "datetime", "bbox", "limit")


class Cell(NamedTuple):
    """A value as it is shown."""

    text: str
    link: str = ""
    unit: str = ""
    time: str = ""
    flags: str = ""
    number: bool = False


class Field(NamedTuple):
    """An option that a form asks for."""

    name: str
    title: str
    hint: str
    value: str


def filled_in(query: str) -> str:
    """The options without those that a form's empty fields send."""
    return "&".join(piece for piece in query.split("&") if not piece.endswith("="))


def draw(request: HttpRequest, page: Page, language: str) -> Response:
    """The page in a language."""
    with translation.override(language):
        values = {"page": page, "value": page.value, "layer": page.layer, "crumbs": _crumbs(page), **_links(page)}
        values |= _more(request, page)
        text = render_to_string(f"ogc/{page.name}.html", values, request)
    headers = dict(page.headers)
    if values["alternate"]:
        headers["Link"] = ", ".join(
            f'<{one["href"]}>; rel="alternate"; type="{one["type"]}"' for one in values["alternate"]
        )
    return Response(status=page.status, body=text.encode(), content_type=_HTML, headers=headers)


def _links(page: Page) -> dict[str, Any]:
    """All links, and those of them that the page has a place for."""
    links = page.value.get("links", ())

    def of(rel: str) -> list[dict[str, str]]:
        return [one for one in links if one["rel"] == rel]

    return {"links": links, "alternate": of("alternate"), "next": next(iter(of("next")), None)}


def _crumbs(page: Page) -> list[tuple[str, str]]:
    """Title and address of what the page lies in, from the outermost on; the page itself is not among them."""
    found = [(_("Objects and readings"), f"/{PATH}")]
    if page.layer is not None:
        here = f"/{PATH}/collections/{quote(page.layer.id, safe=':~')}"
        found.append((_("Collections"), f"/{PATH}/collections"))
        if page.name != "collection":
            found.append((page.layer.title, here))
        if page.name == "item":
            found.append((_("Objects"), f"{here}/items"))
        if page.name == "tileset":
            found.append((_("Tiles"), f"{here}/tiles"))
    return [] if page.name == "landing" else [(title, f"{address}?f=html") for title, address in found]


def _more(request: HttpRequest, page: Page) -> Mapping[str, Any]:
    house = request.house  # type: ignore[attr-defined]
    if page.name in ("items", "item") and page.layer is not None:
        features = page.value.get("features", [page.value])
        places = _places(features)
        extent = _extent(page.value["geometry"]) if page.name == "item" else None
        drawn = draw_sketch(house.profile.geography, extent, places) if places else None
        told = {"sketch": drawn, "places": len(places), "missing": len(features) - len(places)}
        if page.name == "items":
            return told | _table(page.layer, features) | {"fields": _fields(request, page.layer)}
        return told | _sheet(page)
    if page.name == "collection" and page.layer is not None:
        bbox = page.layer.bbox
        sketch = draw_sketch(house.profile.geography, bbox, []) if bbox else None
        # escaped by data_block
        described = mark_safe(data_block(_described(page)))  # noqa: S308
        return {"sketch": sketch, "bbox": bbox, "schema_org": described}
    if page.name in ("queryables", "schema"):
        return {"listed": _listed(page.value["properties"])}
    if page.name == "tileset":
        return {"listed": [(one["id"], list(one["fields"].items())) for one in page.value["vector_layers"]]}
    if page.name == "api":
        return {"operations": _operations(page.value)}
    return {}


def _table(layer: Layer, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Columns with their titles, and rows of cells; what is called ``name`` and declared properties come first."""
    names = dict.fromkeys(["name"] if any("name" in each["properties"] for each in features) else [])
    names |= dict.fromkeys(layer.fields)
    for feature in features:
        names |= dict.fromkeys(_named(layer, feature["properties"]))
    columns = [(name, str(layer.fields.get(name, {}).get("title", name))) for name in names]
    rows = [
        {
            "id": feature["id"],
            "address": f"/{PATH}/collections/{quote(layer.id, safe=':~')}/items/{quote(feature['id'], safe='')}?f=html",
            "cells": [_cell(layer, feature["properties"], name, _LONG) for name in names],
            "place": _place(feature["geometry"]),
            "time": (feature.get("time") or {}).get("interval"),
        }
        for feature in features
    ]
    return {"columns": columns, "rows": rows, "timed": any(row["time"] for row in rows)}


def _listed(properties: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, title and kind of each property of a schema; of a feature's schema those of its properties."""
    inner = properties.get("properties", {}).get("properties")
    if isinstance(inner, dict):
        return _listed(inner)
    found = []
    for name, said in properties.items():
        kind = said.get("type") or said.get("format") or ""
        found.append((name, str(said.get("title", "")), kind if isinstance(kind, str) else ", ".join(kind)))
    return found


def _sheet(page: Page) -> dict[str, Any]:
    """All of one object."""
    layer, feature = page.layer, page.value
    assert layer is not None
    said = feature["properties"]
    rows = [
        (str(layer.fields.get(name, {}).get("title", name)), _cell(layer, said, name, None))
        for name in _named(layer, said)
    ]
    return {
        "id": feature["id"],
        "rows": rows,
        "place": _place(feature["geometry"]),
        "geometry": msgspec.json.encode(feature["geometry"]).decode() if feature["geometry"] else "",
        "time": (feature.get("time") or {}).get("interval"),
    }


def _named(layer: Layer, properties: Mapping[str, Any]) -> list[str]:
    """The properties that have a place of their own."""
    return [
        name
        for name in properties
        if not (layer.things and name.endswith(_ASIDE) and name.rpartition(".")[0] in properties)
    ]


def _cell(layer: Layer, said: Mapping[str, Any], name: str, longest: int | None) -> Cell:
    value = said.get(name)
    text = _spoken(value)
    if longest is not None and isinstance(value, list | dict):
        longest //= 3  # nobody reads much of it
    link = text if isinstance(value, str) and _is_web(value) else ""
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}…"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not layer.things:
        return Cell(text, link, number=number)
    unit, time, flags = (_spoken(said.get(f"{name}{end}")) for end in _ASIDE)
    return Cell(text, link, unit, time, flags, number)


def _is_web(text: str) -> bool:
    """Whether a text is an address that may be a link."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and " " not in text


def _spoken(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return msgspec.json.encode(value).decode()


def _place(geometry: Mapping[str, Any] | None) -> str:
    """A point's two numbers, and what anything else is."""
    if geometry is None:
        return ""
    if geometry["type"] == "Point":
        return ", ".join(_spoken(number) for number in geometry["coordinates"][:2])
    names = {
        "LineString": _("line"), "MultiLineString": _("lines"), "Polygon": _("area"), "MultiPolygon": _("areas"),
        "MultiPoint": _("points"),
    }  # fmt: skip
    return names.get(geometry["type"], _("several shapes"))


def _places(features: Iterable[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """A point of each object that has a geometry in degrees."""
    texts = [msgspec.json.encode(one["geometry"]).decode() for one in features if one["geometry"] is not None]
    try:
        points = shapely.point_on_surface(shapely.from_geojson(texts, on_invalid="ignore"))
    except ShapelyError:  # a shape that is none has no point: the page does without
        return []
    return [(float(x), float(y)) for x, y in shapely.get_coordinates(points) if abs(x) <= 180 and abs(y) <= 90]


def _extent(geometry: Mapping[str, Any] | None) -> Box | None:
    """The box of a shape in degrees; None for a point, and where there is none."""
    if geometry is None or geometry["type"] == "Point":
        return None
    west, south, east, north = map(float, shapely.bounds(shapely.geometry.shape(geometry)))
    return (west, south, east, north) if abs(west) <= 180 and abs(east) <= 180 and abs(south) <= 90 else None


def _fields(request: HttpRequest, layer: Layer) -> dict[str, Any]:
    """The form: its fields with what stands in them, and the options that it hands on."""
    given = {name: values[0] for name, values in parse_qs(request.META.get("QUERY_STRING", "")).items()}
    asked = _FIELDS_OF_RECORDS if layer.id == COLLECTION else _FIELDS
    words = {
        "q": (_("Words"), ""),
        "filter": (_("Condition (CQL2)"), _("e.g. height > 20 AND species LIKE 'Acer%'")),
        "datetime": (_("Time"), _("e.g. 2026-03-01 or 2026-03-01T12:00:00Z/..")),
        "bbox": (_("Box"), _("west, south, east, north in degrees")),
        "limit": (_("Objects a page"), ""),
    }
    kept = [(name, value) for name, value in given.items() if name not in (*asked, "after", "f")]
    shown = [Field(name, *words[name], given.get(name, "")) for name in asked]
    return {
        "shown": shown,
        "kept": kept,
        "narrowed": any(name in given for name in (*ITEMS, *RECORDS) if name not in ("f", "limit")),
    }


def _described(page: Page) -> dict[str, Any]:
    """The collection in schema.org's words."""
    layer, value = page.layer, page.value
    assert layer is not None
    said: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": layer.title,
        "description": layer.description or layer.title,
        "url": next((one["href"] for one in value["links"] if one["rel"] == "self"), ""),
        "license": layer.words.licence,
        "distribution": [
            {"@type": "DataDownload", "contentUrl": one["href"], "encodingFormat": one["type"]}
            for one in value["links"]
            if one["rel"] == "items" and one["type"] != "text/html"
        ],
    }
    if layer.bbox is not None:
        west, south, east, north = layer.bbox
        box = f"{south:g} {west:g} {north:g} {east:g}"
        said["spatialCoverage"] = {"@type": "Place", "geo": {"@type": "GeoShape", "box": box}}
    return {name: value for name, value in said.items() if value}


def _operations(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Addresses of the OpenAPI document with their options."""
    known = document["components"]["parameters"]
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            options = [
                known[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in operation["parameters"]
            ]
            forms = list(operation["responses"]["200"]["content"])
            found.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "words": operation["summary"],
                    "options": options,
                    "forms": forms,
                }
            )
    return found
