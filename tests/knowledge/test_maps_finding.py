"""Addresses are found as people write them: on the city's real register where it is here, and on one made up."""

import gzip

import pytest

from allmende.domain.errors import InvalidInput
from allmende.knowledge.maps.finding import AddressRow, Finder, Hit, Spot, find
from allmende.knowledge.maps.register import Fault, read_register
from allmende.knowledge.maps.spelling import key, read_wanted
from tests.support import captured

MADE_UP = [
    AddressRow("Straße des 17. Juni", "3", "07743", "Mitte", 11.5, 50.9),
    AddressRow("Müllerstraße", "5", "07743", "Mitte", 11.51, 50.91),
    AddressRow("Müllerstraße", "5a", "07743", "Mitte", 11.511, 50.91),
    AddressRow("Müllerstraße", "12-16", "07743", "Mitte", 11.512, 50.91),
    AddressRow("Hauptstraße", "1", "07751", "Oberdorf", 11.52, 50.92),
    AddressRow("Hauptstraße", "1", "07751", "Unterdorf", 11.53, 50.93),
]
SPOTS = [Spot("district", "Jena-West", 11.5, 50.9, "west"), Spot("thing", "Parkhaus Markt", 11.6, 50.9, "p|m")]


@pytest.fixture(scope="module")
def small() -> Finder:
    return Finder(MADE_UP, SPOTS, "Jena")


@pytest.fixture(scope="module")
def real() -> Finder:
    body = captured("geo", "jena_addresses_2017.tsv.gz").read_bytes()
    return Finder([row for row in read_register(body) if isinstance(row, AddressRow)], SPOTS, "Jena")


def best(finder: Finder, text: str) -> Hit:
    return find([finder], text)[0]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Müllerstr. 5", "Müllerstraße 5"),
        ("muellerstrasse 5 a", "Müllerstraße 5a"),
        ("MULLERSTR 5A, 07743 Jena", "Müllerstraße 5a"),
        ("Mülerstraße 5", "Müllerstraße 5"),
        ("Mullerstarße 5", "Müllerstraße 5"),
        ("Müllerstraße 14", "Müllerstraße 12-16"),
        ("Straße des 17. Juni 3", "Straße des 17. Juni 3"),
        ("strasse des 17 juni", "Straße des 17. Juni"),
        ("Müllerstr", "Müllerstraße"),
        ("Jena-West", "Jena-West"),
        ("parkhaus mrakt", "Parkhaus Markt"),
    ],
)
def test_spellings_lead_to_the_same_house(small: Finder, typed: str, name: str) -> None:
    assert best(small, typed).name == name


def test_the_nearest_house_says_that_it_is_not_the_one_that_was_asked_for(small: Finder) -> None:
    assert best(small, "Müllerstr 9") == Hit("address", "Müllerstraße 12-16", "07743 Mitte", 11.512, 50.91, near=True)
    assert not best(small, "Müllerstr 5").near


def test_streets_of_one_name_are_told_apart(small: Finder) -> None:
    found = [hit.detail for hit in find([small], "Hauptstr. 1") if hit.kind == "address"]
    assert found == ["07751 Oberdorf", "07751 Unterdorf"]
    assert best(small, "Hauptstraße 1 Unterdorf").detail == "07751 Unterdorf"


@pytest.mark.parametrize("text", ["", "x", "?", "99999", "Qwertzuiop 3", "\x00", "1" * 5000])
def test_nothing_is_found_for_nothing(small: Finder, text: str) -> None:
    assert find([small], text) == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Goethestr", "Goethestrasse"),
        ("Göthestraße 4", "Goethestrasse 4"),
        ("friedrich engels str 13", "Friedrich-Engels-Strasse 13"),
        ("Stifterstraße 17 D", "Stifterstrasse 17d"),
        ("Leutragrabn 1", "Leutragraben 1"),
        ("Ernst Abbe Platz 2, 07743 Jena", "Ernst-Abbe-Platz 2"),
        ("Lutherstarße 194", "Lutherstrasse 194"),
        ("Inselpl. 1", "Inselplatz 1"),
    ],
)
def test_the_real_register_is_searched_forgivingly(real: Finder, typed: str, name: str) -> None:
    assert best(real, typed).name == name


def test_most_slips_of_one_letter_in_the_real_register_find_the_street(real: Finder) -> None:
    streets = sorted({hit.name for word in ("strasse", "weg", "gasse") for hit in find([real], word, most=60)})
    assert len(streets) > 100
    lost = []
    for street in streets[::5]:
        at = len(street) // 2
        typed = street[:at] + street[at + 1 :]
        if street not in [hit.name for hit in find([real], typed)]:
            lost.append((street, typed))
    assert len(lost) <= len(streets[::5]) // 20, lost


def test_keys() -> None:
    assert key("Friedrich-Engels-Straße") == key("friedrich engels str.") == key("Friedrich Engels Strase")
    assert key("Sankt-Jakob-Straße") == key("St. Jakob Str")
    assert read_wanted("Goethestr. 5 b, 07743 Jena", "Jena")[1:] == ("goth" + "estr5b", "gothestr", 5, "b", "", "07743")


# --- files ---


def test_columns_are_known_by_their_names() -> None:
    body = "PLZ;Straßenname;Hausnummer;Zusatz;Longitude;Latitude\n07743;Am Markt;1;a;11,5;50,9\n".encode("cp1252")
    assert list(read_register(body)) == [AddressRow("Am Markt", "1a", "07743", "", 11.5, 50.9)]


def test_without_a_header_the_columns_have_an_order_and_gzip_is_opened() -> None:
    body = gzip.compress(b"Am Markt\t1\t07743\t11.5\t50.9\t10\n")
    assert list(read_register(body)) == [AddressRow("Am Markt", "1", "07743", "", 11.5, 50.9)]


def test_other_systems_are_told() -> None:
    body = b"street,number,easting,northing\nMarkt,1,681000,5645000\n"
    (row,) = read_register(body, "EPSG:25832")
    assert isinstance(row, AddressRow)
    assert (round(row.lon, 2), round(row.lat, 2)) == (11.58, 50.93)
    (fault,) = read_register(body)
    assert isinstance(fault, Fault)
    assert "degrees" in fault.reason


def test_bad_rows_are_told_with_their_lines() -> None:
    rows = ["street,number,lon,lat", "Markt,1,11.5,50.9", ",2,11.5,50.9", "Markt,x,11.5,50.9", "Markt,3,nowhere,50.9",
            "", "Markt,4,191,50.9", "Markt,1,11.5,50.9", '"Am\nMarkt",5,11.5,50.9', "Markt,6,11.5,50.9"]  # fmt: skip
    found = list(read_register("\n".join(rows).encode()))
    assert [row.number for row in found if isinstance(row, AddressRow)] == ["1", "6"]
    assert [fault.line for fault in found if isinstance(fault, Fault)] == [3, 4, 5, 7, 8, 10]


@pytest.mark.parametrize(
    "body",
    [b"", b"nothing", b"street,number\nMarkt,1\n", b"a,b\nc,d\n", b"\x1f\x8bnot gzip", b"street;lon;lat\nx;1;2\n"],
)
def test_what_is_no_register_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(read_register(body))


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reference system"):
        list(read_register(b"street,number,lon,lat\nMarkt,1,1,1\n", "EPSG:nonsense"))


def test_the_real_register_is_read_whole() -> None:
    found = list(read_register(captured("geo", "jena_addresses_2017.tsv.gz").read_bytes()))
    assert len(found) == 16_745
    assert {fault.reason.split(" is ")[1] for fault in found if isinstance(fault, Fault)} == {
        "in the file twice; the first row holds"
    }
