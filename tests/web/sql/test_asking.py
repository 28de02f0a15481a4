"""The page and the answers for programs: who may ask, how much, of which data; in every form with its licences."""

import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.test import Client
from pyarrow import parquet
from tests.support import batch
from tests.web.catalogue.conftest import DAY, MIDNIGHT

from allmende.domain.records import Series
from allmende.web import house as opened
from allmende.web.downloads.models import Dump
from allmende.web.sql import asking, kept, slots, stale

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dumped")]
READINGS = "SELECT thing, time, result, flags FROM parking ORDER BY ALL"


def said(query: str, form: str = "json", client: Client | None = None) -> Any:
    answer = (client or Client()).get(f"/sql/result.{form}", {"q": query})
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content) if form == "json" else answer


def wrong(query: str, status: int, client: Client | None = None) -> str:
    answer = (client or Client()).get("/sql/result.json", {"q": query})
    assert answer.status_code == status, answer.content
    return str(json.loads(answer.content)["message"])


def settle(settings: Any, **values: Any) -> None:
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, **values)


def test_what_is_open_is_answered_and_nothing_else() -> None:
    assert said("SELECT dataset, count(*) FROM observations GROUP BY 1")["rows"] == [["parking", 4]]
    assert said("SELECT dataset FROM datasets")["rows"] == [["parking"]]
    assert "transit" in wrong("SELECT * FROM transit", 400)
    assert "does not exist" in wrong("SELECT * FROM demo_parking", 400)


def test_each_form_says_question_licence_and_as_of() -> None:
    answer = said(READINGS)
    [dataset] = answer["datasets"]
    assert (dataset["id"], answer["query"], answer["count"]) == ("parking", READINGS, 4)
    assert dataset["licence"]
    assert answer["rows"][0][1] == "2025-11-07T00:00:00.000Z"
    assert answer["columns"][1] == {"name": "time", "type": "TIMESTAMP WITH TIME ZONE"}
    csv = said(READINGS, "csv")
    assert csv.content.startswith(b"thing,time,result,flags\r\n")
    assert f'<{dataset["licenceUrl"]}>; rel="license"' in csv["Link"]
    with zipfile.ZipFile(io.BytesIO(said(READINGS, "zip").content)) as archive:
        assert archive.read("data.csv") == csv.content
        assert json.loads(archive.read("about.json"))["datasets"] == [dataset]
        assert dataset["attribution"] in archive.read("LIESMICH-README.txt").decode()
    table = parquet.read_table(io.BytesIO(said(READINGS, "parquet").content))
    assert json.loads(table.schema.metadata[b"allmende"])["asOf"] == answer["asOf"]
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"


def test_numbers_beyond_64_bits_and_formulas_are_harmless() -> None:
    query = "SELECT 2::HUGEINT ** 70 AS n, '=1+1' AS f UNION ALL SELECT 1, NULL ORDER BY n"
    big = "SELECT 18446744073709551616::HUGEINT AS n, '=1+1' AS f"
    assert said(big, "csv").content == b"n,f\r\n18446744073709551616,'=1+1\r\n"
    assert parquet.read_table(io.BytesIO(said(big, "parquet").content)).to_pylist()[0]["n"] == "18446744073709551616"
    assert len(said(query)["rows"]) == 2


def test_long_questions_come_by_post_and_broken_text_is_told() -> None:
    client = Client()
    query = f"SELECT 1 -- {'x' * 8000}"
    for body in ({"data": {"q": query}}, {"data": query, "content_type": "application/sql"}):
        assert json.loads(client.post("/sql/result.json", **body).content)["rows"] == [[1]]
    broken = client.post("/sql/result.json", data=b"SELECT '\xff'", content_type="application/sql")
    assert broken.status_code == 400
    assert "\0" not in wrong("SELECT '\0'", 400)
    assert "ALLMENDE_SQL_LENGTH" in wrong("SELECT 1 -- " + "x" * 25_000, 422)
    assert wrong("", 400)


def test_a_withdrawn_month_is_gone_at_once(house: None) -> None:
    assert said("SELECT count(*) FROM parking")["rows"] == [[4]]
    Dump.objects.filter(dataset="parking", name="2025-11").update(withdrawn=True)
    assert "does not exist" in wrong("SELECT count(*) FROM parking", 400)
    assert stale.prune() == 1
    assert not list(kept.folder().glob("state-*/*"))


def test_a_dataset_that_is_closed_is_gone_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said("SELECT count(*) FROM parking")
    profile = opened.open_profile()
    shut = msgspec.structs.replace(profile.datasets["parking"], access="restricted")
    closed = msgspec.structs.replace(profile, datasets={**profile.datasets, "parking": shut})
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: closed)
    assert "does not exist" in wrong("SELECT count(*) FROM parking", 400)


def test_before_the_first_night_it_is_told_that_there_is_nothing_to_ask() -> None:
    Dump.objects.all().delete()
    assert "Noch gibt es nichts zu fragen" in wrong("SELECT * FROM parking", 400)


def test_the_same_question_is_worked_out_once_until_the_night(dumped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    real = asking.process.run
    monkeypatch.setattr(asking.process, "run", lambda *args, **more: runs.append(args) or real(*args, **more))
    query = "SELECT count(*) FROM parking"
    assert [said(query)["rows"] for _ in range(2)] == [[[4]], [[4]]]
    assert len(runs) == 1
    late = Series(stream="goethe~free", times=[MIDNIGHT - 2 * DAY], results=[1])
    more = batch(late, dataset="parking", at=MIDNIGHT + DAY, origin="feed-parking")
    sensor = msgspec.structs.replace(more.declarations[0].sensor, id="sensor-parking")
    more.declarations = [msgspec.structs.replace(more.declarations[0], sensor=sensor)]
    opened.open_store().append(more)
    Dump.objects.update(stale=True)
    dumped.round(opened.open_profile())
    assert said(query)["rows"] == [[5]]
    assert len(list(kept.folder().glob("state-*"))) == 1


def test_who_may_ask_and_how_often(settings: Any, somebody: Any) -> None:
    settle(settings, sql="accounts")
    assert wrong("SELECT 1", 403)
    anna = somebody("anna")
    assert said("SELECT 1", client=anna)["rows"] == [[1]]
    settle(settings, sql="nobody")
    assert wrong("SELECT 2", 403, anna)
    settle(settings, sql="everyone", sql_rate_anonymous=2)
    asking._bucket.cache_clear()
    for number in range(2):
        said(f"SELECT {number} AS again")
    assert "ALLMENDE_SQL_RATE_ANONYMOUS" in wrong("SELECT 3 AS again", 429)
    assert said("SELECT 0 AS again")["rows"] == [[0]]  # it is known already
    assert said("SELECT 4 AS again", client=anna)["rows"] == [[4]]


def test_who_is_not_logged_in_gets_fewer_rows(settings: Any, somebody: Any) -> None:
    settle(settings, sql_rows=30, sql_rows_anonymous=3)
    answer = said("FROM range(100)")
    assert (answer["count"], answer["cut"]) == (3, "rows")
    assert said("FROM range(100)", client=somebody("anna"))["count"] == 30


def test_a_question_waits_for_its_turn_and_is_told_when_none_comes(settings: Any) -> None:
    settle(settings, sql_at_once=1, sql_wait=0.0)
    with slots.turn(kept.folder(), 1, 0.0):
        answer = Client().get("/sql/result.json", {"q": "SELECT 1 AS waits"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert said("SELECT 1 AS waits")["rows"] == [[1]]
    settle(settings, sql_wait=10.0)
    begun, found = threading.Event(), []

    def hold() -> None:
        with slots.turn(kept.folder(), 1, 0.0):
            begun.set()
            found.append(Path(kept.folder()).exists())

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait(10)
    assert said("SELECT 2 AS waits")["rows"] == [[2]]
    holder.join()


def test_a_question_that_ends_badly_harms_no_other(settings: Any) -> None:
    settle(settings, sql_seconds=1.0)
    assert "ALLMENDE_SQL_SECONDS" in wrong(
        "SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c", 422
    )
    assert "ALLMENDE_SQL_MEMORY_BYTES" in wrong("SELECT repeat('x', 2000000000)", 422)
    assert said("SELECT 1 AS after")["rows"] == [[1]]
    assert not list(kept.folder().glob("ask-*"))


def test_the_page_shows_rows_by_pages_a_chart_and_what_went_wrong() -> None:
    client = Client(headers={"accept-language": "en"})
    page = client.get(
        "/sql/",
        {
            "q": "SELECT range AS n, range * 2 AS twice FROM range(250)",
            "page": "3",
            "kind": "line",
            "x": "n",
            "y": "twice",
        },
    )
    text = page.content.decode()
    assert page.status_code == 200
    assert "Rows 201 to 250" in text
    assert ">249<" in text
    assert "sql-chart__line" in text
    assert 'rel="prev"' in text
    assert 'rel="next"' not in text
    bars = client.get("/sql/", {"q": READINGS, "kind": "bar", "x": "thing", "y": "result"}).content.decode()
    assert bars.count("sql-chart__bar") == 4
    hostile = client.get(
        "/sql/", {"q": "SELECT '<script>alert(1)</script>' AS \"<b>\", 1 AS n", "kind": "bar", "x": "<b>"}
    )
    assert b"<script>alert" not in hostile.content
    assert b"<b>" not in hostile.content
    fault = client.get("/sql/", {"q": "SELEC 1"})
    assert fault.status_code == 400
    assert b"Parser Error" in fault.content
    assert client.get("/sql/", {"q": "EXPLAIN FROM parking"}).status_code == 200
    assert b"parking" in client.get("/sql/").content


def test_programs_are_told_the_tables() -> None:
    tables = {each["name"]: each for each in json.loads(Client().get("/sql/schema.json").content)["tables"]}
    assert {"observations", "streams", "things", "features", "datasets", "parking"} <= set(tables)
    assert [each["name"] for each in tables["parking"]["columns"]][:5] == ["flags", "lat", "lon", "name", "property"]


def test_without_duckdb_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allmende.knowledge.sql.run.find_spec", lambda name: None)
    assert b"DuckDB" in Client().get("/sql/").content
    assert wrong("SELECT 1 AS none", 501)
