"""Whatever is asked or sent, there is an answer: never an exception, never a server's fault."""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.domain.model import ENTITIES
from tests.conformance.sensorthings.house import ROOT, SETS, WRITER, House, open_house

WORDS = [
    *(
        "name",
        "id",
        "@iot.id",
        "result",
        "phenomenonTime",
        "validTime",
        "properties",
        "parameters",
        "location",
        "metadata",
    ),
    *(
        "Datastream",
        "Datastreams",
        "Thing",
        "Observations",
        "Locations",
        "observedArea",
        "unitOfMeasurement",
        "resultTime",
    ),
    *(
        "eq",
        "ne",
        "gt",
        "le",
        "and",
        "or",
        "not",
        "in",
        "add",
        "mul",
        "mod",
        "any",
        "null",
        "true",
        "now()",
        "startswith(",
    ),
    *(
        "(",
        ")",
        ",",
        "/",
        "'",
        "[0]",
        "-",
        ";",
        "=",
        "$top",
        "$expand",
        "$filter",
        "desc",
        "asc",
        ":",
        "%",
        '"',
        "\\",
        "\x00",
    ),
    *("'x'", "5", "5.0", "1e400", "-7", "99999999999999999999", "2024-01-01T00:00:00Z", "2024-01-01", "duration'PT1H'"),
    *(
        "2024-01-01T00:00:00Z/2024-01-02T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "geography'POINT (1 2)'",
        "😀",
        "\ud800",
        "",
    ),
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).flatmap(
    lambda words: st.sampled_from(["", " ", "/"]).map(lambda gap: gap.join(words))
)
NAMES = sorted(
    {n for e in ENTITIES.values() for n in (*(a.name for a in e.attributes), *(r.name for r in e.relations))}
)


def likely(entity: str) -> st.SearchStrategy[tuple[str, str]]:
    """An option that is right, or nearly so, for this kind of entity."""
    kind = ENTITIES[entity]
    own = st.sampled_from(["id", *(a.name for a in kind.attributes), *(r.name for r in kind.relations)])
    path = st.one_of(own, st.builds("{}/{}".format, own, st.sampled_from(["id", "name", "a", "result", *NAMES])))
    value = st.sampled_from(["'x'", "5", "1.5", "null", "true", "2024-04-30T10:00:00Z", "'garage0'"])
    compare = st.builds("{} {} {}".format, path, st.sampled_from(["eq", "ne", "gt", "le"]), value)
    condition = st.lists(compare, min_size=1, max_size=3).map(" or ".join)
    order = st.lists(st.builds("{}{}".format, path, st.sampled_from(["", " desc"])), min_size=1, max_size=2).map(
        ",".join
    )
    expand = st.lists(path, min_size=1, max_size=2).map(",".join)
    return st.one_of(
        st.tuples(st.just("$filter"), condition),
        st.tuples(st.just("$orderby"), order),
        st.tuples(st.just("$expand"), expand),
        st.tuples(st.just("$select"), st.lists(own, min_size=1, max_size=3).map(",".join)),
        st.tuples(st.sampled_from(["$top", "$skip"]), st.sampled_from(["0", "1", "7"])),
        st.just(("$count", "true")),
    )


def asking(entity: str) -> st.SearchStrategy[list[tuple[str, str]]]:
    wild = st.tuples(st.sampled_from(["$filter", "$orderby", "$expand", "$select", "$top", "$skiptoken"]), TEXTS)
    one = st.integers(0, 9).flatmap(lambda n: wild if n == 0 else likely(entity))
    return st.lists(one, max_size=3, unique_by=lambda option: option[0])


@settings(max_examples=300)
@given(st.sampled_from(sorted(ENTITIES)).flatmap(lambda e: st.tuples(st.just(SETS[e]), asking(e))))
def test_any_question(town: House, drawn: tuple[str, list[tuple[str, str]]]) -> None:
    name, options = drawn
    query = "&".join(f"{option}={quote(text, errors='surrogatepass')}" for option, text in options)
    response = town.request("GET", name, query)
    assert response.status in (200, 400, 501)
    page = msgspec.json.decode(response.body)
    if "@iot.nextLink" in page:
        town.follow(page["@iot.nextLink"])


@settings(max_examples=400)
@given(st.lists(st.sampled_from([*WORDS, *SETS.values(), "('garage0')", "(1)", "$ref", "$value"]), max_size=8))
def test_any_address(town: House, parts: list[str]) -> None:
    for gap in ("", "/"):
        response = town.request("GET", quote(gap.join(parts), errors="surrogatepass"))
        assert response.status in (200, 204, 400, 404)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> House:
    return open_house(tmp_path_factory.mktemp("yard"))


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5), st.sampled_from(["2024-01-01T00:00:00Z", "application/geo+json", "Point"]),
    st.just({"type": "Point", "coordinates": [1, 2]}), st.just({"@iot.id": 1}),
)  # fmt: skip


def bodies(entity: str, depth: int) -> st.SearchStrategy[Any]:
    """Bodies that are almost right: most fields as they should be, some not."""
    kind = ENTITIES[entity]
    good = {
        "string": st.sampled_from(["a", "application/geo+json"]), "json": LEAVES, "object": st.just({"a": 1}),
        "list": st.just(["a"]),
        "geometry": st.just({"type": "Point", "coordinates": [1, 2]}), "instant": st.just("2024-01-01T00:00:00Z"),
        "interval": st.just("2024-01-01T00:00:00Z/2024-01-02T00:00:00Z"), "result": LEAVES,
    }  # fmt: skip
    fields: dict[str, st.SearchStrategy[Any]] = {
        a.name: st.integers(0, 30).flatmap(lambda n, k=a.kind: LEAVES if n == 0 else good[k]) for a in kind.attributes
    }
    required = {r.name for r in kind.relations if r.required or r.name in kind.one_of[:1]}
    for relation in kind.relations:
        if relation.name in required or depth > 0:
            inner = bodies(relation.target, depth - 1) if depth > -2 else st.just({"@iot.id": 1})
            fields[relation.name] = st.lists(inner, min_size=1, max_size=2) if relation.many else inner
    must = {n: f for n, f in fields.items() if n in required or kind.attribute(n)}
    may = {n: f for n, f in fields.items() if n not in must}
    return st.fixed_dictionaries(must, optional={**may, "@iot.id": LEAVES})


@settings(max_examples=150)
@given(st.sampled_from(sorted(ENTITIES)).flatmap(lambda e: st.tuples(st.just(e), bodies(e, 1))))
def test_any_body(yard: House, drawn: tuple[str, Any]) -> None:
    entity, body = drawn
    response = yard.request("POST", SETS[entity], reader=WRITER, body=body)
    assert response.status in (201, 400, 409, 501), response.body
    if response.status == 201:
        link = response.headers["Location"]
        assert link.startswith(ROOT)
        expand = ",".join(r.name for r in ENTITIES[entity].relations)
        yard.follow(f"{link}?$expand={expand}")
