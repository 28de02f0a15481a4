"""Vector files: Jena's car parks (captured), and the same in the formats that GDAL writes."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from allmende.connectors.geofile.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    features,
    kept_features,
    manifest_settings,
    payload,
    sample,
)
from allmende.domain.connector import Source

HERE = "allmende.connectors.geofile"
BODY = sample(HERE, "areas-constructed.geojson")


def source(**settings: object) -> Source:
    return Source(id="areas", connector="geofile", dataset="d", settings=manifest_settings(HERE) | settings)


def test_car_parks_of_jena():
    given = payload(captured("parking/jena_all_car_parks.geojson"))
    parsed = assert_sound(parse, given, source(id="properties.id", drop=["the_geom", "gid"]))
    assert not parsed.rejections
    found = features(parsed)
    assert len(kept_features(parsed)) == 103
    assert found["185"].properties == {"id": 185, "art": "Parkplatz", "name": "Eichplatz"}


def made(folder: Path, name: str) -> bytes:
    """Two places of Jena in EPSG:25832, as GDAL writes them."""
    places = shapely.to_wkb(shapely.points([[679542.668613, 5646041.5832], [681721.5236, 5645057.6553]]))
    fields = [np.array(["Leutra", "Eichplatz"], dtype=object), np.array([27077, 185])]
    pyogrio.raw.write(folder / name, places, fields, ["name", "number"], geometry_type="Point", crs="EPSG:25832")
    if not name.endswith(".shp"):
        return (folder / name).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return packed.getvalue()


@pytest.mark.parametrize("name", ["places.gpkg", "places.shp", "places.fgb"])
def test_formats_of_gdal(name, tmp_path):
    parsed = assert_sound(parse, payload(made(tmp_path, name)), source(id="properties.number"))
    assert not parsed.rejections
    found = kept_features(parsed)
    assert set(found) == {"27077", "185"}
    assert (found["27077"].west, found["27077"].south) == pytest.approx((11.5554664, 50.9380132), abs=1e-6)
    assert json.loads(found["185"].properties) == {"name": "Eichplatz", "number": 185}


def test_only_a_geopackage_has_keys(tmp_path):
    assert set(features(parse(payload(made(tmp_path, "a.gpkg")), source()))) == {"1", "2"}
    parsed = parse(payload(made(tmp_path, "a.fgb")), source())
    assert [r.reason for r in parsed.rejections] == ["it has no id at 'id'"] * 2


def test_a_zip_of_something_else_is_not_handed_on(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.vrt", "<OGRVRTDataSource/>")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", bytes(1 << 29) + b"x")
    for body in (packed.getvalue(), bomb.getvalue(), made(tmp_path, "a.gpkg")[:3000], b"PK\x03\x04" + bytes(99)):
        parsed = parse(payload(body), source())
        assert not parsed.records
        assert len(parsed.rejections) == 1


def test_damaged_files():
    # A corner may be left out, and it is an area still; ids and coordinates are numbers that may be others.
    numbers = ("coordinates", "/id", "lists of", "a hole", "cut off")
    assert assert_withstands(parse, BODY, source(), unless=numbers) > 100
