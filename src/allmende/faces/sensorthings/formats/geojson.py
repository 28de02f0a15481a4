"""GeoJSON as FROST-Server writes it: a feature for each entity, with all that it expands flattened into properties."""

from collections.abc import Iterator
from typing import Any

import msgspec

from allmende.domain.model import ENTITIES, EntityType, Kind
from allmende.domain.query import Page
from allmende.faces.sensorthings.options import Asked
from allmende.faces.sensorthings.render import render_rows

_DEEPEST = 16
"""Levels of JSON that are flattened; what lies deeper stays as it is."""


def features(page: Page, asked: Asked, root: str) -> Iterator[str]:
    """Each row as a feature.

    Its geometry is the first that stands in the entity or in what it expands. Names of properties are paths
    (``properties/zone``, ``Thing/Locations/0/name``); null and links to relations are left out.
    """
    entity = ENTITIES[page.query.entity]
    for text in render_rows(page, asked, root):
        feature = _Feature()
        shown = msgspec.json.decode(text)
        feature.add_entity(entity, shown, "")
        members: dict[str, Any] = {"type": "Feature"}
        if "@iot.id" in shown:
            members["id"] = shown["@iot.id"]
        members |= {"properties": feature.properties, "geometry": feature.geometry}
        yield msgspec.json.encode(members).decode()


class _Feature:
    def __init__(self) -> None:
        self.properties: dict[str, Any] = {}
        self.geometry: dict[str, Any] | None = None

    def add_entity(self, entity: EntityType, shown: dict[str, Any], prefix: str) -> None:
        for name, value in shown.items():
            attribute, relation = entity.attribute(name), entity.relation(name)
            if name == "@iot.id":
                self.properties[f"{prefix}id"] = value
            elif name == "@iot.selfLink":
                self.properties[f"{prefix}{name}"] = value
            elif attribute is not None and attribute.kind is Kind.GEOMETRY:
                self._add_place(f"{prefix}{name}", value)
            elif attribute is not None:
                self._add(f"{prefix}{name}", value, 0)
            elif relation is not None and relation.many:
                for at, item in enumerate(value):
                    self.add_entity(ENTITIES[relation.target], item, f"{prefix}{name}/{at}/")
            elif relation is not None and value is not None:
                self.add_entity(ENTITIES[relation.target], value, f"{prefix}{name}/")

    def _add_place(self, name: str, value: Any) -> None:
        geometry = _geometry(value)
        if geometry is None:
            self._add(name, value, 0)
        elif self.geometry is None:
            self.geometry = geometry
        if geometry is not None and value["type"] == "Feature":
            self._add(f"{name}/properties", value.get("properties"), 0)

    def _add(self, name: str, value: Any, depth: int) -> None:
        if isinstance(value, dict) and depth < _DEEPEST:
            for key, item in value.items():
                self._add(f"{name}/{key}", item, depth + 1)
        elif isinstance(value, list) and depth < _DEEPEST:
            for at, item in enumerate(value):
                self._add(f"{name}/{at}", item, depth + 1)
        elif value is not None:
            self.properties[name] = value


def _geometry(value: Any) -> dict[str, Any] | None:
    """The geometry of a GeoJSON object; None where it is none, or only a part that was selected."""
    if not isinstance(value, dict):
        return None
    if value.get("type") == "Feature":
        return _geometry(value.get("geometry"))
    if value.get("type") == "FeatureCollection":
        found = [_geometry(feature) for feature in value.get("features") or ()]
        return {"type": "GeometryCollection", "geometries": [g for g in found if g is not None]}
    return value if "coordinates" in value or "geometries" in value else None
