"""The API fuzzed by its own OpenAPI document, and by hand: whatever is asked or sent, the server is not at fault.

Requests go through all of the web, on both engines. ``ALLMENDE_TEST_FUZZ`` is the number of requests for each operation
(1 by default, of a third of them, which takes some seconds); the same seed each time.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from allmende.domain.face import FaceLimits
from allmende.domain.model import ENTITIES
from allmende.domain.policy import Reader
from allmende.domain.store import Store
from allmende.faces.sensorthings.openapi import ALL_OPTIONS, document
from allmende.web import house, sta
from allmende.web.accounts import middleware
from tests.conformance.sensorthings.house import SETS, datastream, location, observation, thing
from tests.support import DATASETS, ENGINES, create

PATH = "/sta/v1.1"
ROOT = f"http://testserver{PATH}"
MOST = int(os.environ.get("ALLMENDE_TEST_FUZZ", "1"))
WRITER = Reader(name="token:fuzz", may_write=True)
EACH = settings(
    max_examples=MOST,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(max(120, 120 * MOST))]
Send = Callable[..., Any]


@pytest.fixture(scope="module", params=sorted(ENGINES))
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a little in it, so that there is something to find, to change and to delete."""
    made = ENGINES[request.param](tmp_path_factory.mktemp("fuzz"))
    made.put_datasets(DATASETS)
    for number in range(3):
        stream = datastream(Observations=[observation(i, i) for i in range(3)])
        create(made, "Thing", thing(Locations=[location(11 + number)], Datastreams=[stream]))
    return made


@pytest.fixture
def send(store: Store, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Sends one request through the web, as somebody who may write; fails where the server is at fault."""
    monkeypatch.setattr(house, "open_store", lambda: store)
    monkeypatch.setattr(middleware, "reader_of", lambda request: WRITER)
    monkeypatch.setattr(sta, "record", lambda *_, **__: None)
    client = Client()

    def once(method: str, address: str, body: bytes = b"", kind: str = "application/json", **headers: str) -> Any:
        path, _, query = address.removeprefix("http://testserver").partition("?")
        response = client.generic(method, path, body, kind, QUERY_STRING=query, headers=headers)
        told = (method, address, body, response.status_code, getattr(response, "content", b"")[:300])
        assert response.status_code < 500 or response.status_code == 501, told
        if response.status_code >= 400 and method != "HEAD":
            assert response.json()["message"], told
        return response

    return once


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation(send: Send, mode: GenerationMode) -> None:
    """What the document allows, and what it does not."""
    statuses = set()
    for found in schemathesis.openapi.from_dict(_described()).get_all_operations():
        operation = found.ok()

        @EACH
        @given(operation.as_strategy(generation_mode=mode))
        def fuzz(case: Any) -> None:
            asked = requests.Request(**case.as_transport_kwargs(base_url=ROOT)).prepare()
            headers = {k: v for k, v in asked.headers.items() if k.lower().startswith("if-")}
            body = asked.body.encode() if isinstance(asked.body, str) else asked.body or b""
            kind = str(asked.headers.get("Content-Type", "application/json"))
            statuses.add(send(str(asked.method), str(asked.url), body, kind, **headers).status_code)

        with suppress(Unsatisfiable):  # some operations can be asked rightly alone
            fuzz()
    assert {400, 404} <= statuses


def _described() -> dict[str, Any]:
    """The document, with what would take too long cut off: entities inside of entities (test_robustness draws those),
    and, for the small number of requests, two of three addresses, and reads of single properties.
    """
    described: dict[str, Any] = msgspec.json.decode(document(FaceLimits(), ROOT))
    for name, schema in described["components"]["schemas"].items():
        if name.startswith("New"):
            for inner in schema["properties"].values():
                one = inner.get("items", inner)
                if "anyOf" in one:
                    one.pop("anyOf")
                    one["$ref"] = "#/components/schemas/Reference"
    if MOST == 1:
        ends = {attribute.name for entity in ENTITIES.values() for attribute in entity.attributes} | {"$value", "$ref"}
        paths = described["paths"]
        kept = [path for path in paths if path.rpartition("/")[2] not in ends]
        described["paths"] = {path: paths[path] for path in kept[::3]}
    return described


STRANGE = [
    *("%00", "%", "%zz", "%ff%fe", "%ED%A0%80", "%F0%9F%98%80", "%2F", "%252F", "+", "%0A", "%7F", "%C2%85", "\\", "'"),
    *("99999999999999999999", "-1", "1e400", "NaN", "0x10", "١", "', '", "((((", "''", "null", "$value", "a" * 9000),
]


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: text[:20])
def test_strange_texts_everywhere(send: Send, text: str) -> None:
    raw = text if "%" in text or text in ("+", "\\", "'") else quote(text)
    for name in ("Things", "Observations", "Datastreams"):
        for option in ALL_OPTIONS:
            for value in (raw, f"1,{raw}", f"'{raw}'", f"Thing({raw})", f"name eq '{raw}'", f"result eq {raw}"):
                send("GET", f"{ROOT}/{name}?{option}={value}")
        for address in (f"{name}({raw})", f"{name}('{raw}')", f"{name}(1)/{raw}", f"{name}{raw}", f"{name}?{raw}=1"):
            for method in ("GET", "PATCH", "DELETE", "POST", "PUT", "HEAD"):
                send(method, f"{ROOT}/{address}", b"{}" if method in ("PATCH", "POST", "PUT") else b"")


def test_options_given_twice_or_wrongly(send: Send) -> None:
    for query in (
        "$top=1&$top=2",
        "$top=1&%24top=2",
        "$TOP=1",
        "$top",
        "=",
        "&&&",
        "$top=&$skip=",
        "$filter=&$filter=",
        "?",
        "$expand=Datastreams($top=1;$top=2)",
        "$expand=Datastreams($top=1;%24top=2)",
        "$count=true&$count=true",
    ):
        send("GET", f"{ROOT}/Things?{query}")
    for many in (99999999999999999999, 10**18, 2**63, 2**64, -(2**70)):
        for option in ("$top", "$skip"):
            assert send("GET", f"{ROOT}/Things?{option}={many}").status_code in (200, 400)
        send("GET", f"{ROOT}/Things({many})")
        send("GET", f"{ROOT}/Observations?$filter=result eq {many} or id eq {many}")
        send("POST", f"{ROOT}/Things", b'{"name":"n","description":"d","@iot.id":%d}' % many)
        send("POST", f"{ROOT}/Datastreams(1)/Observations", b'{"result":%d}' % many)


BODIES = [
    *(
        b"",
        b"\x00",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"[1]",
        b"null",
        b"1",
        b'"x"',
        b"NaN",
        b"Infinity",
        b"\xef\xbb\xbf{}",
        b"{}{}",
    ),
    *(
        b'{"result":NaN}',
        b'{"result":Infinity}',
        b'{"result":-Infinity}',
        b'{"result":1e999}',
        b'{"result":1,"result":2}',
    ),
    *(
        b'{"result":"\\ud800"}',
        b'{"result":"\\u0000"}',
        b'{"result":"\xed\xa0\x80"}',
        b'{"\\u0000":1}',
        b'{"\\ud800":1}',
    ),
    *(
        b'{"result":1,"phenomenonTime":%s}' % t
        for t in (b"1", b"null", b'""', b'"/"', b'"9999-12-31T23:59:60Z"', b"[]")
    ),
    *(
        b'{"result":1,"Datastream":%s}' % t
        for t in (b"1", b"null", b"[]", b"{}", b'{"@iot.id":null}', b'{"@iot.id":{}}')
    ),
    *(
        b'{"result":1,"FeatureOfInterest":{"@iot.id":%s,"name":1}}' % t
        for t in (b"1", b"[]", b'"\\u0000"', b"1e5", b"true")
    ),
    *(b'{"result":%s}' % (sign * 100_000) for sign in (b"[", b'{"a":')),
    b'{"@iot.id":1,"id":2,"result":1}',
    b'{"name":"n","description":"d","properties":{"a":1,"a":2,"":3}}',
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
def test_strange_bodies(send: Send, body: bytes) -> None:
    for name in SETS.values():
        send("POST", f"{ROOT}/{name}", body)
        for method in ("PATCH", "PUT"):
            send(method, f"{ROOT}/{name}(1)", body)
    send("POST", f"{ROOT}/Datastreams(1)/Observations", body)
    send("PATCH", f"{ROOT}/Things(2)", body, "application/json-patch+json")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        'a/b;c="',
        "",
        "json",
        "application/json; charset=utf-16",
        "application/json-patch+json",
        "multipart/mixed",
    ],
)
def test_wrong_content_types(send: Send, kind: str) -> None:
    for body in (b"{}", b"[]", b'[{"op":"add","path":"/x","value":1}]', b"a=b", b"--x\r\n\r\n"):
        for method in ("POST", "PATCH", "PUT"):
            for path in ("Things", "Things(1)", "Datastreams(1)/Observations", "Nothing", ""):
                send(method, f"{ROOT}/{path}", body, kind)


@settings(max_examples=60 * MOST, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]),
    path=st.binary(max_size=12).map(quote),
    query=st.binary(max_size=20).map(lambda raw: quote(raw, safe="$=&();,'/")),
    header=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12),
)
def test_any_bytes_as_address(send: Send, method: str, path: str, query: str, header: str) -> None:
    send(method, f"{ROOT}/Things({path})/{path}?{query}", **{"If-Match": header, "If-None-Match": header})
