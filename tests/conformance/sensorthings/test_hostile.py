"""Hostile questions are refused by the name of the limit before the store is asked: work is counted, not time."""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from allmende.domain.errors import LimitExceeded
from allmende.domain.face import FaceLimits
from allmende.faces.sensorthings import expressions
from allmende.faces.sensorthings.expressions import parse_apply, parse_filter, parse_order
from tests.conformance.sensorthings.house import WRITER, House

WIDE = FaceLimits(address_length=1_000_000)
LONG = msgspec.structs.replace(WIDE, filter_length=100_000)
"""An operator who allowed long texts still has a bound on what they hold."""


class Untouched:
    """A store that nobody asks."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the store was asked: {name}")


HOSTILE = {
    "parentheses": ("(" * 10_000 + ")" * 10_000, "ALLMENDE_FILTER_LENGTH", WIDE),
    "open parentheses": ("(" * 1900, "", FaceLimits()),
    "nested": ("not " * 400 + "true", "within each other", FaceLimits()),
    "regex bomb": ("(a+)+$ " * 250 + "!", "", FaceLimits()),
    "quotes": ("'" * 1999, "", FaceLimits()),
    "deep JSON": ("properties/" + "a/" * 5000 + "b eq 1", "ALLMENDE_FILTER_COST", LONG),
    "indexes": ("properties/a" + "[0]" * 2000 + " eq 1", "ALLMENDE_FILTER_COST", LONG),
    "long list": ("id in (" + ",".join(map(str, range(1000))) + ")", "ALLMENDE_FILTER_COST", LONG),
    "or-terms": (" or ".join(f"id eq {n}" for n in range(1000)), "ALLMENDE_FILTER_COST", LONG),
    "any": (" or ".join(["Datastreams/any(d: d/name eq 'x')"] * 100), "ALLMENDE_FILTER_COST", LONG),
    "places": (" or ".join(["st_within(location,geometry'POINT (1 1)')"] * 100), "ALLMENDE_FILTER_COST", LONG),
    "arithmetic": ("1" + " add 1" * 3000 + " eq 5", "", LONG),
    "functions": ("a(" * 3000 + "1" + ")" * 3000, "", LONG),
    "digits": ("id eq " + "9" * 1900, "64 bits", FaceLimits()),
    "exponent": ("properties/n lt 1e" + "9" * 1900, "", FaceLimits()),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("option", ["filter", "orderby", "apply"])
def test_it_is_refused_before_the_store_is_asked(name: str, option: str) -> None:
    text, limit, limits = HOSTILE[name]
    said = text if option != "apply" else f"filter({text})/aggregate($count as n)"
    if name == "exponent" and option != "filter":
        return  # a number too large is the store's to refuse, beside the rest of its types
    house = House(Untouched(), limits)  # type: ignore[arg-type]
    if name == "exponent":
        assert parse_filter(text, max_length=2000)
        return
    response = house.request("GET", "Things", f"${option}={quote(said)}")
    assert response.status == 400, response.body
    message = msgspec.json.decode(response.body)["message"]
    assert message.startswith(f"${option}")
    assert len(message) < 500
    if option == "filter":
        assert limit in message


PARTS = "".join(f"--b\r\nContent-Type: application/http\r\n\r\nGET Things({n})\r\n\r\n" for n in range(12_000))
SENT = {
    "a long $select": ("GET", "$select=" + ",".join(f"properties/a{n}" for n in range(60_000)), b"", "ADDRESS_LENGTH"),
    "a long path": ("GET", "", b"", "ADDRESS_LENGTH"),
    "many parts": ("POST", "multipart/mixed; boundary=b", f"{PARTS}--b--\r\n".encode(), "BATCH_SIZE"),
    "many headers": (
        "POST",
        "multipart/mixed; boundary=b",
        b"--b\r\nContent-Type: application/http\r\n" + b"X: y\r\n" * 9000 + b"\r\nGET Things\r\n--b--\r\n",
        "headers",
    ),
    "an address in a batch": (
        "POST",
        "application/json",
        msgspec.json.encode({"requests": [{"id": "a", "method": "GET", "url": "Things?$select=" + "name," * 9000}]}),
        "ADDRESS_LENGTH",
    ),
    "a large patch": ("PATCH", "", b"[" + b"{}," * 50_000 + b"{}]", "PATCH_BYTES"),
}


@pytest.mark.parametrize("name", SENT)
def test_what_is_too_large_is_refused_before_anything_looks_into_it(name: str) -> None:
    method, kind, body, limit = SENT[name]
    house = House(Untouched())  # type: ignore[arg-type]
    if method == "GET":
        path, query = ("Things", kind) if kind else ("Things(1)" + "/Locations(1)/Things(1)" * 2000, "")
        response = house.request("GET", path, query)
    elif method == "POST":
        response = house.request("POST", "$batch", body=body, content_type=kind, reader=WRITER)
    else:
        kind = "application/json-patch+json"
        response = house.request("PATCH", "Things(1)", body=body, content_type=kind, reader=WRITER)
    assert (response.status, limit in response.body.decode()) in ((400, True), (200, True)), response.body[:300]


@pytest.mark.parametrize(
    "text", ["id in (" + "1," * 40_000 + "1)", "1 eq " + "-" * 64_000 + "1", "true" + " or true" * 10_000]
)
def test_what_is_too_costly_is_not_even_parsed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_parser", None)
    with pytest.raises(LimitExceeded, match="ALLMENDE_FILTER_COST"):
        parse_filter(text, max_length=100_000)


def test_the_cost_is_counted() -> None:
    """One for each expression and each step of a path, ten for any() and places."""
    costs = {
        "true": 1,
        "name eq 'x'": 3,
        "Datastreams/name eq 'x'": 4,
        "id in (1,2,3)": 5,
        "Datastreams/any(d: d/name eq 'x')": 10 + 1 + 1 + 1 + 2 + 1,
        "geo.distance(location,geography'POINT (1 1)') lt 1": 1 + 10 + 1 + 1 + 1,
        "not (length(name) gt 5)": 1 + 1 + 1 + 1 + 1,
    }
    for text, cost in costs.items():
        assert parse_filter(text, max_length=2000, max_cost=cost)
        with pytest.raises(LimitExceeded, match="ALLMENDE_FILTER_COST"):
            parse_filter(text, max_length=2000, max_cost=cost - 1)
    assert parse_order("name,length(name)", max_length=2000, max_cost=3)
    with pytest.raises(LimitExceeded, match=r"^\$orderby.*ALLMENDE_FILTER_COST"):
        parse_order("name,length(name)", max_length=2000, max_cost=2)
    with pytest.raises(LimitExceeded, match=r"^\$apply.*ALLMENDE_FILTER_COST"):
        parse_apply("groupby((name),aggregate(name with max as m))", max_length=2000, max_cost=1)


def test_the_largest_that_is_let_through_is_answered(town: House) -> None:
    house = House(town.store, LONG)
    listed = ",".join(f"'garage{n}'" for n in range(990))
    assert len(house.get("Things", filter=f"id in ({listed})")["value"]) == 3
    terms = " or ".join(f"id eq 'garage{n}'" for n in range(249))
    assert len(house.get("Things", filter=terms)["value"]) == 3
    many = " or ".join(["Datastreams/Observations/result gt 100"] * 199)
    assert len(house.get("Things", filter=many)["value"]) == 1
