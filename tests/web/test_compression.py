"""Compressed answers of the APIs, their tags, and what caches are told of them."""

import gzip
import json
from typing import Any

import msgspec
import pytest
import zstandard
from django.contrib.auth import get_user_model
from django.test import Client

from allmende.web.accounts.tokens import create_token
from allmende.web.compression import choose_coding
from allmende.web.house import furnish, open_profile, open_store

LONG = {"name": "Bench", "description": "a long way to sit " * 200}
SHORT = {"name": "Stool", "description": "short"}


@pytest.fixture
def token(db: Any) -> dict[str, str]:
    furnish(open_store(), open_profile())
    _, secret = create_token("bench-maker", actor="test", may_write=True)
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def bench(client: Client, token: dict[str, str]) -> str:
    """The address of a Thing with a long description."""
    answer = client.post("/sta/v1.1/Things", json.dumps(LONG), content_type="application/json", headers=token)
    return answer.headers["Location"]


def unpack(answer: Any) -> bytes:
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    coding = answer.headers.get("Content-Encoding")
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompress(answer.content)
    return gzip.decompress(answer.content) if coding == "gzip" else answer.content


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", ""), ("identity", ""), ("br", ""), ("gzip", "gzip"), ("x-gzip", "gzip"), ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"), ("GZIP;q=0.8, zstd;q=0.5", "gzip"), ("*", "zstd"), ("*;q=0", ""),
        ("zstd;q=0, *", "gzip"), ("gzip;q=0", ""), ("gzip;q=0.5, identity", ""), ("gzip;q=x", ""), (";;,", ""),
    ],
)  # fmt: skip
def test_the_coding_that_is_liked_best(accept: str, coding: str) -> None:
    assert choose_coding(accept) == coding


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("query", ["", "?$resultFormat=CSV", "?$resultFormat=GeoJSON", "?$resultFormat=Arrow"])
def test_an_answer_is_the_same_unpacked(client: Client, bench: str, coding: str, query: str) -> None:
    plain = client.get(bench + query)
    packed = client.get(bench + query, headers={"Accept-Encoding": coding})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == coding
    assert len(packed.content) < len(plain.content)
    assert unpack(packed) == unpack(plain)
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    for answer in (plain, packed):
        assert {"Accept", "Accept-Encoding", "Authorization"} <= set(answer.headers["Vary"].split(", "))


def test_small_and_packed_bodies_and_pages_stay_as_they_are(client: Client, bench: str, token: dict[str, str]) -> None:
    both = {"Accept-Encoding": "gzip, zstd"}
    for path in ("/sta/v1.1/Sensors", f"{bench}?$resultFormat=Parquet", f"{bench}?$select=name", "/", "/health"):
        assert "Content-Encoding" not in client.get(path, headers=both).headers


def test_tags_hold_for_packed_answers(client: Client, bench: str, token: dict[str, str]) -> None:
    packed = {"Accept-Encoding": "gzip"}
    tag = client.get(bench, headers=packed).headers["ETag"]
    for headers in ({}, packed):
        again = client.get(bench, headers={**headers, "If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == (tag if headers else tag.removeprefix("W/"))
        assert again.headers["Cache-Control"] == "no-cache"
        assert "Accept-Encoding" in again.headers["Vary"]
    write = {"content_type": "application/json"}
    changed = client.patch(bench, json.dumps(SHORT), **write, headers={**token, **packed, "If-Match": tag})
    assert changed.status_code == 200
    assert client.get(bench, headers={"If-None-Match": tag}).status_code == 200
    assert client.patch(bench, json.dumps(LONG), **write, headers={**token, "If-Match": tag}).status_code == 412
    fresh = changed.headers["ETag"]
    assert client.get(bench, headers={"If-None-Match": fresh}).status_code == 304
    assert client.delete(bench, headers={**token, "If-Match": fresh}).status_code == 200


def test_sets_are_asked_for_again_with_their_tag(client: Client, bench: str, token: dict[str, str]) -> None:
    path = "/sta/v1.1/Things?$orderby=name"
    tag = client.get(path, headers={"Accept-Encoding": "zstd"}).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    client.post("/sta/v1.1/Things", json.dumps(SHORT), content_type="application/json", headers=token)
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_what_is_not_for_all_is_kept_by_nobody_else(client: Client, bench: str, token: dict[str, str]) -> None:
    assert client.get(bench).headers["Cache-Control"] == "no-cache"
    assert client.get(bench, headers=token).headers["Cache-Control"] == "private, no-cache"
    client.force_login(get_user_model().objects.create_user(username="anna", password="long-enough-1"))
    mine = client.get(bench, headers={"Accept-Encoding": "gzip"})
    assert mine.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in mine.headers["Vary"]
    assert "Content-Encoding" not in mine.headers, "a session and a stranger's address do not go into one packed answer"


def test_it_can_be_left_to_a_proxy(client: Client, bench: str, settings: Any) -> None:
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, compress=False)
    answer = client.get(bench, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert not answer.headers["ETag"].startswith("W/")


def test_the_header_accept_reaches_the_face(client: Client, bench: str) -> None:
    answer = client.get("/sta/v1.1/Things?$top=0", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.content) == (200, b"id,name,description,properties\r\n")
    exposed = client.get("/sta/v1.1/Things", headers={"Origin": "https://map.example"})
    assert {"Link", "ETag"} <= set(exposed.headers["Access-Control-Expose-Headers"].split(", "))
