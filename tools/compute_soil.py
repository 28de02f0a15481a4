"""Makes the tables of soil sites and reference areas of Jena's rules from the city's register of soil sensors.

A site has a row for each of its sensors; the register that is public names no device, so the column ``member`` is empty
and the operator's to fill. Outlines are simplified by a metre and rounded to six decimals. The output is the same byte
for byte on every run::

    python tools/compute_soil.py [--data FOLDER] [--out cities/jena/rules]
"""

import argparse
import csv
import json
import os
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 0.00001
"""Degrees: about a metre."""
GRID = 0.000001


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("ALLMENDE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=shared)
    parser.add_argument("--out", type=Path, default=ROOT / "cities" / "jena" / "rules")
    options = parser.parse_args()
    folder = options.data / "payloads"
    sensors = json.loads((folder / "soil_sensors_redacted.geojson").read_text("utf-8"))["features"]
    areas = json.loads((folder / "soil_reference_areas.json").read_text("utf-8"))["features"]
    options.out.mkdir(exist_ok=True)
    write_sites(options.out / "soil_sites.csv", sensors)
    write_areas(options.out / "soil_areas.geojson", areas, sensors)


def write_sites(file: Path, sensors: list[dict[str, Any]]) -> None:
    """A row for each sensor, in the order of sites and depths."""
    rows = []
    for feature in sensors:
        said = feature["properties"]
        lon, lat = feature["geometry"]["coordinates"]
        name = f"{said['standort']} {said['bnr']}".strip()
        since = said["eingesetzt"].replace("/", "-")
        depth = said["in_tiefe"].removesuffix(" cm")
        rows.append((said["sensorstandort_gid"], name, lon, lat, depth, said["model"], since, ""))
    rows.sort(key=lambda row: (int(row[0]), row))
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("id", "name", "lon", "lat", "depth_cm", "model", "since", "member"))
        writer.writerows(rows)


def write_areas(file: Path, areas: list[dict[str, Any]], sensors: list[dict[str, Any]]) -> None:
    """Outlines with two counts, which disagree: of sensors, as the city says, and of the register's sites inside."""
    features = []
    for feature in areas:
        said, outline = feature["properties"], shape(feature["geometry"])
        inside = {
            sensor["properties"]["sensorstandort_gid"]
            for sensor in sensors
            if outline.covers(shape(sensor["geometry"]))
        }
        simple = shapely.set_precision(outline.simplify(TOLERANCE), GRID)
        body = json.loads(json.dumps(mapping(simple)))
        body["coordinates"] = [[[round(x, 6), round(y, 6)] for x, y in ring] for ring in body["coordinates"]]
        properties = {
            "id": str(int(float(said["gid"]))),
            "name": said["name"],
            "tour": said.get("tourName", ""),
            "sensors_said": int(said["sensorCount"]),
            "sites_inside": len(inside),
        }
        features.append({"type": "Feature", "properties": properties, "geometry": body})
    features.sort(key=lambda feature: int(feature["properties"]["id"]))
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    file.write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n', "utf-8")


if __name__ == "__main__":
    main()
