"""Registers of objects: Jena's trees (captured), and a table of three."""

import gzip
import io
import json

import pytest

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
from allmende.connectors.tree_register.parse import parse
from allmende.domain.connector import Source
from allmende.domain.framing import frames

HERE = "allmende.connectors.tree_register"
BODY = sample(HERE, "trees-constructed.csv")


def source(**settings: object) -> Source:
    return Source(id="trees", connector="tree_register", dataset="d", settings=manifest_settings(HERE) | settings)


def test_rows_are_trees():
    parsed = assert_sound(parse, payload(BODY), source())
    assert not parsed.rejections
    found = features(parsed)
    assert found["101"].properties["species"] == "Fraxinus excelsior, Gemeine Esche"
    assert (found["101"].properties["height"], found["101"].properties["planted"]) == (12, 1996)
    assert found["102"].properties["planted"] == "ca. 1990", "what is no number stays what it is"
    assert "height" not in found["102"].properties, "what is not known is no zero"
    assert found["103"].geometry is None


def test_the_whole_register_and_its_two_positions():
    """What the city says in EPSG:25832 is where it says it in degrees."""
    raw = gzip.decompress(captured("geo/jena_trees_2022.csv.gz"))
    blocks = list(frames(io.BytesIO(raw), framing="lines", name="trees.csv", received_at=1))
    found = [(parse(block, source()), block) for block in blocks]
    assert sum(len(features(parsed)) for parsed, _ in found) == 42_642
    assert not [r for parsed, _ in found for r in parsed.rejections]
    other = source(x="rechtswert", y="hochwert", crs="EPSG:25832")
    parsed, block = found[3]
    degrees, converted = kept_features(parsed), kept_features(parse(block, other))
    assert degrees.keys() == converted.keys()
    for name, row in degrees.items():
        # 1e-5 degrees are less than a metre here
        assert (row.west, row.south) == pytest.approx((converted[name].west, converted[name].south), abs=1e-5), name


def test_a_bad_row_takes_no_other_along():
    bad = BODY.replace(b"50.9380407", b"north") + b"x9,1\n"
    parsed = assert_sound(parse, payload(bad), source())
    assert list(features(parsed)) == ["101", "103"]
    assert [(r.code, r.where) for r in parsed.rejections] == [("bad-row", "line 3"), ("bad-row", "line 5")]
    assert parsed.records[1].unread == ["102"], "it is there, but cannot be read"


def test_other_columns_by_settings():
    table = b"nr;ort_x;ort_y;art;hoehe\nB-1;679542,668613;5646041,5832;Bank;0,45\n"
    bench = source(
        id="nr", id_form=r"B-\d+", x="ort_x", y="ort_y", crs=25832, decimal=",", columns={}, title="Bänke", fields={}
    )
    (row,) = kept_features(assert_sound(parse, payload(table), bench)).values()
    assert (row.west, row.south) == pytest.approx((11.5554664, 50.9380132), abs=1e-6)
    assert json.loads(row.properties) == {"art": "Bank", "hoehe": 0.45}
    assert parse(payload(table), source()).rejections[0].code == "bad-header"


def test_damaged_tables():
    assert assert_withstands(parse, BODY, source(), framing="lines") > 200
