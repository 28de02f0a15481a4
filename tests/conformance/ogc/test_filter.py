"""CQL2 text (21-065r2) over features and things, and its geometries in other systems (19-079r2)."""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from allmende.domain.face import FaceLimits
from allmende.domain.policy import Reader
from tests.conformance.ogc.conftest import Ask

CRS = "http://www.opengis.net/def/crs/"
Found = list[str]


@pytest.fixture
def find(read: Any) -> Any:
    def once(text: str, collection: str = "trees", more: str = "", **asked: Any) -> Found:
        page = read(f"/collections/{collection}/items?limit=1000&filter={quote(text)}{more}", **asked)
        return [feature["id"] for feature in page["features"]]

    return once


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("species = 'Acer' AND height < 3", ["000", "003"]),
        ("species='Acer' and height<3", ["000", "003"]),
        ("height = 19.5 OR height = 0", ["000", "039"]),
        ("NOT (height < 19)", ["038", "039"]),
        ("not height < 19", ["038", "039"]),
        ("height BETWEEN 18.5 AND 19 AND old = true", ["037", "038"]),
        ("height NOT BETWEEN 0.5 AND 19", ["000", "039"]),
        ("species IN ('Acer', 'Tilia') AND height >= 19", ["039"]),
        ("species NOT IN ('Acer', 'Tilia') AND height >= 18.5", ["038"]),
        ("species LIKE 'Q%us' AND height < 2", ["002"]),
        ("species LIKE '_cer' AND height < 2", ["000", "003"]),
        ("species NOT LIKE '%e%' AND height < 2", ["001"]),
        ("CASEI(species) = CASEI('ACER') AND height < 1", ["000"]),
        ("CASEI(street) LIKE CASEI('STRASSE 3') AND height > 19", ["039"]),
        ("ACCENTI(species) = 'Acer' AND height < 1", ["000"]),
        ("height * 2 + 1 = 40", ["039"]),
        ("height / 0 = 1", []),
        ("height div 2 = 9 AND height > 19", ["039"]),
        ("-height DIV 2 = -9 AND height > 19", ["039"]),
        ("2 * height ^ 2 - 1 = 17", ["006"]),
        ("height = 4 ^ -0.5", ["001"]),
        ("(0 - height) ^ 0.5 = 1 OR height ^ 9999 > 1 AND height = 1.5", []),
        ("-height = -0.5", ["001"]),
        ("old AND height < 11", ["021"]),
        ("height > height - 1 AND height % 10 = 0", ["000", "020"]),
        ("height = '3'", []),
        ("NOT (height = '3')", []),
        ("species IS NULL", []),
        ("species IS NOT NULL AND height > 19", ["039"]),
        ("\"species\" = 'Acer' AND \"height\" < 1", ["000"]),
        (
            "S_INTERSECTS(geometry, POLYGON((11.495 50.895, 11.515 50.895, 11.515 50.915, 11.495 50.895)))",
            ["000", "001", "011"],
        ),
        ("S_INTERSECTS(geometry, BBOX(11.575, 50.925, 12, 51))", ["038", "039"]),
        ("S_WITHIN(geometry, POINT(11.5 50.9))", ["000"]),
        # as QGIS writes them
        ("((species = 'Acer') AND (height < 3))", ["000", "003"]),
        ("(NOT ((height < 19)))", ["038", "039"]),
        ("(height = ( - (-19.5)))", ["039"]),
        ("((species IS NOT NULL) AND (CASEI(species) LIKE CASEI('aCe%')) AND (height < 1))", ["000"]),
        ("(S_INTERSECTS(geometry,POINT(11.5 50.9)))", ["000"]),
        ("(S_INTERSECTS(geometry,BBOX(11.575,50.925,12,51)) AND (old = TRUE))", ["038", "039"]),
        ("(height IN (19,19.5)) AND (species NOT IN ('Tilia'))", ["038", "039"]),
        ("(height BETWEEN 19 AND 20)", ["038", "039"]),
        ("S_DISJOINT(geometry, BBOX(-180,-90,180,50.925)) AND height < 15.6", ["030", "031"]),
        ("s_equals(POINT Z (11.5 50.9 4), geometry)", ["000"]),
        ("S_INTERSECTS(geometry, MULTIPOINT((11.5 50.9), (11.51 50.9)))", ["000", "001"]),
        ("S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(11.5 50.9), LINESTRING(-1.5 -2, -1 -1)))", ["000"]),
    ],
)  # fmt: skip
def test_conditions(find: Any, text: str, found: Found) -> None:
    assert find(text) == found


def test_conditions_go_with_the_other_options(find: Any) -> None:
    assert find("height < 10", more="&species=Tilia&bbox=11.5,50.9,11.6,50.905") == ["001", "004", "007"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"free" > 5', ["garage", "lost"]),
        ('"free" > 5 AND occupied = 3', ["garage"]),
        ("\"free.time\" >= TIMESTAMP('2026-03-01T12:00:00Z')", ["garage", "lost", "square"]),
        ("T_AFTER(time, TIMESTAMP('2026-03-01T12:00:00Z'))", []),
        ("T_DURING(time, INTERVAL('2026-03-01T00:00:00Z', '..'))", ["garage", "lost", "square"]),
        ("time = DATE('2026-03-01')", []),
        ("T_INTERSECTS(time, DATE('2026-03-01'))", ["garage", "lost", "square"]),
        ("time > DATE('2026-03-01') OR time < DATE('2026-03-01')", []),
        ("S_INTERSECTS(geometry, BBOX(11.5,50.9,11.59,50.95))", ["garage"]),
        ("zone = 1 AND name LIKE 'S%'", ["square"]),
        ('"free" = 987654', []),
        ("nothing = 1", []),
        ("nothing IS NULL", ["garage", "lost", "square"]),
    ],
)
def test_things_are_filtered_by_their_values(find: Any, text: str, found: Found) -> None:
    assert find(text, "things:parking") == found


def test_geometries_of_another_system(find: Any) -> None:
    north_first = quote(f"{CRS}EPSG/0/4326")
    assert find("S_INTERSECTS(geometry, POINT(50.9 11.5))", more=f"&filter-crs={north_first}") == ["000"]
    metres = quote(f"{CRS}EPSG/0/3857")
    square = "POLYGON((1279500 6602500, 1280800 6602500, 1280800 6604500, 1279500 6604500, 1279500 6602500))"
    assert find(f"S_INTERSECTS(geometry, {square})", more=f"&filter-crs={metres}") == ["000"]


@pytest.mark.parametrize(
    "text",
    [
        "", "height >", "> 3", "height = ", "(height = 1", "height = 1)", "height == 1", "1", "'a'",
        "height + 1", "height = 1 AND 2", "colour = 1", "WRONG(height)", "CASEI(height, 1) = 'a'",
        "species LIKE height",
        "S_INTERSECTS(geometry)", "S_INTERSECTS(height, POINT(1 2))", "S_INTERSECTS(geometry, POINT(1))",
        "S_NEAR(geometry, POINT(1 2))", "T_SOON(height, DATE('2026-01-01'))", "height = DATE('yesterday')",
        "S_INTERSECTS(geometry, POLYGON((1 2, 3 4)))", "S_INTERSECTS(geometry, BBOX(1,2,3))", "NOT", "a = 1 = 2",
        "height = TIMESTAMP(height)", "species = 'it''s", "CASEI(species)", "height; DROP TABLE item", "\"\" = 1",
        "A_CONTAINS(species, ('a'))", "height IN ()", "x" * 3000, "(" * 900 + "height = 1" + ")" * 899,
        "NOT (" * 30 + "old" + ")" * 30, " AND ".join(["height = 1"] * 200), "S_INTERSECTS(geometry, POINT(1e999 2))",
    ],
)  # fmt: skip
def test_mistakes_are_told(ask: Ask, text: str) -> None:
    limits = FaceLimits(filter_cost=300)
    response = ask(f"/collections/trees/items?filter={quote(text)}", limits=limits)
    assert response.status == 400, response.body
    assert msgspec.json.decode(response.body)["description"].startswith("filter")


def test_limits_hold(ask: Ask) -> None:
    costly = " OR ".join(f"S_INTERSECTS(geometry, POINT({n} 1))" for n in range(40))
    response = ask(f"/collections/trees/items?filter={quote(costly)}", limits=FaceLimits(filter_cost=100))
    assert b"ALLMENDE_FILTER_COST" in response.body
    response = ask(f"/collections/trees/items?filter={quote('height = 1 ' * 300)}", limits=FaceLimits(filter_length=99))
    assert b"ALLMENDE_FILTER_LENGTH" in response.body


def test_other_languages_are_refused(ask: Ask) -> None:
    assert ask("/collections/trees/items?filter=old&filter-lang=cql2-json").status == 400
    assert ask("/collections/trees/items?filter=old&filter-crs=nowhere").status == 400


def test_no_filter_finds_what_is_hidden(find: Any, ask: Ask) -> None:
    assert find("free > 900000", "things:parking") == []
    guest = Reader(name="guest", datasets=frozenset({"hidden"}))
    assert find("free > 900000", "things:hidden", reader=guest) == ["bunker"]
    assert ask("/collections/things:hidden/items?filter=free%3E1").status == 404
    assert ask("/collections/secret-trees/items?filter=wrong%20%3D").status == 404
