"""Each row of docs/reference/engines.md, on both engines."""

import re
from collections.abc import Callable

import pytest

from allmende.domain import errors
from allmende.storage.postgres import PostgresEngine
from allmende.storage.sqlite import SqliteEngine
from tests.conformance.sensorthings.house import House, datastream, observation, thing
from tests.support import ROOT

PAGE = (ROOT / "docs/reference/engines.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
VALUES = [1, 1.0, "1", True, None, 2**53, 2**53 + 1, 2**63 - 1, 0.5, "a", "Z", "ﬁ", "😀"]


@pytest.fixture
def furnished(house: House) -> House:
    readings = [observation(value, minute) for minute, value in enumerate(VALUES)]
    made = datastream(**{"@iot.id": "s"}, Observations=readings)
    house.post("Things", thing(**{"@iot.id": "t"}, properties={"a": [1.10, 1e5]}, Datastreams=[made]))
    return house


def holds(house: House, *texts: str) -> None:
    for text in texts:
        assert len(house.get("Things", filter=text)["value"]) == 1, text


def ordered(house: House, **options: str) -> list[object]:
    return [o["result"] for o in house.get("Observations", **options)["value"]]


def check_zones(house: House) -> None:
    holds(house, "bucket(2024-03-31T22:30:00Z,duration'P1D','Europe/Berlin') eq 2024-03-31T22:00:00Z")
    assert "no time zone" in house.error("Things", filter="bucket(now(),duration'P1D','Mars/Dome') lt now()")


def check_numbers(house: House) -> None:
    numbers = [0.5, 1, 1.0, True, 2**53, 2**53 + 1, 2**63 - 1]
    assert ordered(house, filter="result gt 0 or result eq true", orderby="result") == numbers
    assert ordered(house, filter="result eq 9007199254740993") == [2**53 + 1]
    holds(house, "9007199254740993 add 0 eq 9007199254740992")


def check_kinds(house: House) -> None:
    found = ordered(house, filter="result eq 1")
    assert [type(value) for value in found] == [int, float]
    assert ordered(house, filter="result eq '1'") == ["1"]


def check_years(house: House) -> None:
    assert "0001 to 9999" in house.error("Observations", filter="phenomenonTime lt 9999-12-31T23:59:59-01:00")
    assert "leap second" in house.error("Observations", filter="phenomenonTime lt 2016-12-31T23:59:60Z")
    holds(house, "maxdatetime() add duration'PT1S' eq null", "year(mindatetime()) eq 1")


def check_time_limit(house: House) -> None:
    import sqlite3

    import psycopg

    stopped = sqlite3.OperationalError("interrupted")
    stopped.sqlite_errorcode = sqlite3.SQLITE_INTERRUPT
    engines = ((SqliteEngine(), stopped), (PostgresEngine(), psycopg.errors.QueryCanceled("statement timeout")))
    for engine, error in engines:
        told = engine.translate(error)
        assert isinstance(told, errors.LimitExceeded)
        assert told.setting == "ALLMENDE_QUERY_SECONDS"


def check_nul(house: House) -> None:
    assert "NUL" in house.error("Things", filter="name eq 'a\x00'")
    house.refuse("Things", thing(name="a\x00"))


def check_sums(house: House) -> None:
    asked = house.get("Observations", apply="filter(result lt 2)/aggregate(result with sum as s,$count as n)")
    assert asked["value"] == [{"s": 2.5, "n": 3}]


def check_percentile(house: House) -> None:
    apply = "filter(result lt 2)/aggregate(result with allmende.percentile25 as p)"
    assert house.get("Observations", apply=apply)["value"] == [{"p": 0.75}]


def check_json(house: House) -> None:
    assert b'"properties":{"a":[1.1,100000.0]}' in house.request("GET", "Things('t')").body
    holds(house, "properties/a[1] eq 100000", "properties/a/any(x: x lt 2)")


def check_null(house: House) -> None:
    for order in ("result", "result desc"):
        assert ordered(house, orderby=order)[-1] is None
    assert len(ordered(house, filter="result eq 1 or not (result eq 1)")) == 6  # a text is neither


def check_deep(house: House) -> None:
    deep = "Datastream/Thing/" * 3 + "name eq 'x'"
    assert house.request("GET", "Observations", f"$filter={deep}".replace(" ", "%20")).status in (200, 400)
    assert "too deep" in house.error("Things", filter="Datastreams/Thing/" * 15 + "name eq 'x'")


CHECKS: dict[str, Callable[[House], None]] = {
    "tolower": lambda h: holds(h, "tolower('ÄÉ') eq 'äé'", "toupper('ß') eq 'SS'"),
    "collation": lambda h: holds(h, "'Z' lt 'a'", "'ﬁ' lt '😀'"),
    "length": lambda h: holds(h, "length('😀') eq 1"),
    "division": lambda h: holds(h, "1 div 0 eq null", "1 mod 0 eq null", "5 div 2 eq 2.5"),
    "range": lambda h: holds(h, "1e300 mul 10 eq null", "1e-300 div 10 eq null"),
    "rounding": lambda h: holds(h, "round(2.5) eq 3", "round(-0.5) eq -1"),
    "nul": check_nul,
    "numbers": check_numbers,
    "kinds": check_kinds,
    "years": check_years,
    "zones": check_zones,
    "percentile": check_percentile,
    "sums": check_sums,
    "null": check_null,
    "json": check_json,
    "deep": check_deep,
    "time limit": check_time_limit,
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row(furnished: House, row: str) -> None:
    CHECKS[row](furnished)


def test_every_row_has_a_check() -> None:
    assert list(CHECKS) == ROWS
