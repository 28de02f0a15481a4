"""Makes the outlines of Jena's profile from OpenStreetMap extracts: districts, boundary and the Saale.

Simplified as a coverage, so that neighbours keep one common line, then rounded to four decimals (about ten metres).
The output is the same byte for byte on every run::

    python tools/compute_outlines.py [--data FOLDER] [--out cities/jena]
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

ROOT = Path(__file__).resolve().parent.parent
ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"
TOLERANCE = 0.0002
"""Degrees; figures with four decimals have no room for more detail."""
GRID = 0.0001
DECIMALS = 4
MARGIN = 0.01
"""Degrees of river that are shown beyond the city."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("ALLMENDE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared, help="folder that holds geo/ (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "cities" / "jena", help="default: %(default)s")
    options = parser.parse_args()

    source = read(options.data / "geo" / "jena_ortsteile_osm.geojson")
    rivers = read(options.data / "geo" / "jena_fluesse_osm.geojson")
    districts = simplified_districts(source["features"])
    city = shapely.unary_union([geometry for _, geometry in districts])
    if city.geom_type != "Polygon":
        raise SystemExit(f"the union of the districts is a {city.geom_type}: they do not fit together")

    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out / "districts.geojson", [feature(props, shapely.normalize(g)) for props, g in districts], source)
    write(options.out / "boundary.geojson", [feature({"id": "jena", "name": "Jena"}, shapely.normalize(city))], source)
    write(options.out / "waters.geojson", [river(rivers["features"], "Saale", city)], rivers)


def read(path: Path) -> dict[str, Any]:
    """One extract."""
    collection: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return collection


def simplified_districts(features: list[dict[str, Any]]) -> list[tuple[dict[str, Any], BaseGeometry]]:
    """Properties and outline of each district, by name; neighbours share their line point by point."""
    features = sorted(features, key=lambda item: item["properties"]["name"])
    geometries = shapely.coverage_simplify([shape(item["geometry"]) for item in features], TOLERANCE)
    # Point by point: what two neighbours share is rounded alike on both sides.
    rounded = shapely.transform(geometries, lambda points: points.round(DECIMALS))
    if not shapely.coverage_is_valid(rounded) or not shapely.is_valid(rounded).all():
        raise SystemExit("after rounding the districts overlap or leave gaps: choose another tolerance")
    return [(district(item["properties"]), outline) for item, outline in zip(features, rounded, strict=True)]


def district(properties: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a district: id, name, and where it is in OpenStreetMap."""
    name = properties["name"]
    return {"id": slug(name), "name": name, "osm": properties["@id"]}


def slug(name: str) -> str:
    """An id of a German name: small, without umlauts, hyphens for all that is no letter."""
    text = name.lower()
    for letter, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(letter, letters)
    return "-".join("".join(sign if sign.isalnum() else " " for sign in text).split())


def river(features: list[dict[str, Any]], name: str, city: BaseGeometry) -> dict[str, Any]:
    """The river's relation, joined, cut to the city's bounds and a margin."""
    # The relation, not the single ways of that name: they lack a piece at a weir, and end before the city does.
    relation = next(
        item
        for item in features
        if item["properties"].get("name") == name and item["properties"]["@id"].startswith("relation/")
    )
    west, south, east, north = city.bounds
    window = shapely.box(west - MARGIN, south - MARGIN, east + MARGIN, north + MARGIN)
    line = shapely.line_merge(shapely.intersection(shape(relation["geometry"]), window))
    line = shapely.set_precision(shapely.simplify(line, TOLERANCE), GRID)
    properties = {"id": slug(name), "name": name, "kind": "river", "osm": relation["properties"]["@id"]}
    return feature(properties, shapely.normalize(line))


def feature(properties: dict[str, Any], geometry: BaseGeometry) -> dict[str, Any]:
    """A GeoJSON feature, its coordinates cut to what they claim."""
    return {"type": "Feature", "id": properties["id"], "properties": properties, "geometry": rounded(geometry)}


def rounded(geometry: BaseGeometry) -> dict[str, Any]:
    """GeoJSON geometry with exterior rings anticlockwise (RFC 7946) and four decimals."""
    plain = mapping(shapely.orient_polygons(geometry, exterior_cw=False))

    def walk(value: Any) -> Any:
        return [walk(item) for item in value] if isinstance(value, list | tuple) else round(value, DECIMALS)

    return {"type": plain["type"], "coordinates": walk(plain["coordinates"])}


def write(path: Path, features: list[dict[str, Any]], source: dict[str, Any]) -> None:
    """One feature a line: small, and differences can be read."""
    head = {
        "type": "FeatureCollection",
        "attribution": ATTRIBUTION,
        "licence": "https://opendatacommons.org/licenses/odbl/1-0/",
        "extracted": source["timestamp"],
    }
    lines = ",\n".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in features)
    opening = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]
    path.write_text(f'{opening},"features":[\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{path}: {len(features)} features, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
