"""What a script does with a house: it looks, asks, fetches and writes; and is told what went wrong."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from allmende.client import House, HouseError, Missing, NotNow, Refused, Table, Unreachable, WrongInput
from allmende.client import house as module
from tests.client.conftest import Wire
from tests.web.catalogue.conftest import MIDNIGHT

pytestmark = pytest.mark.django_db
NEWEST = datetime.fromtimestamp(MIDNIGHT / 1e6, UTC)


def test_what_there_is(city: House) -> None:
    parking = next(each for each in city.datasets() if each.id == "parking")
    assert parking.licence
    assert parking.attribution
    assert parking.address.endswith("/dataset/parking")
    streams = city.streams(dataset="parking")
    assert {each.id for each in streams} == {"goethe~free", "markt~free"}
    assert streams[0].end == NEWEST
    assert [each.id for each in city.streams("GOETHE")] == ["goethe~free"]
    assert city.streams("o'clock") == []
    with pytest.raises(Missing):
        city.streams(dataset="transit")


def test_readings_by_time_and_page_after_page(city: House, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 1)
    table = city.observations("goethe~free")
    assert [(row[0], row[1]) for row in table][-1] == (NEWEST, 7)
    assert len(table) == 2
    assert table.column("quality")[0]
    assert city.observations("goethe~free", newest_first=True, limit=1).column("result") == [7]
    assert len(city.observations("goethe~free", start=NEWEST)) == 1
    assert len(city.observations("goethe~free", end=date(2025, 11, 8))) == 1
    assert city.observations("goethe~free", where="result gt 10").column("result") == [12]
    berlin = NEWEST.astimezone(ZoneInfo("Europe/Berlin"))
    assert len(city.observations("goethe~free", start=berlin, end="2025-11-08T01:00:00+01:00")) == 0
    with pytest.raises(WrongInput, match="time zone"):
        city.observations("goethe~free", start=NEWEST.replace(tzinfo=None))
    with pytest.raises(WrongInput, match="no time"):
        city.observations("goethe~free", start="yesterday")


def test_buckets_of_series(city: House) -> None:
    table = city.series(["goethe~free", "markt~free"], start="2025-11-06", end="2025-11-09", points=100)
    assert set(table.column("stream")) == {"goethe~free", "markt~free"}
    assert {row[2] for row in table if row[5]} == {7, 12}
    assert table.rows[0][1].tzinfo is UTC


def test_a_question_in_sql(city: House) -> None:
    pytest.importorskip("duckdb", reason="duckdb is not installed")
    table = city.sql("SELECT time, result FROM parking WHERE stream = 'goethe~free' ORDER BY time DESC")
    assert table.rows[0] == (NEWEST, 7.0)
    assert [each.id for each in table.sources] == ["parking"]
    assert table.sources[0].attribution in str(table)
    assert table.as_of
    assert not table.cut
    with pytest.raises(WrongInput, match="Parser Error"):
        city.sql("SELEC")


def test_a_transfer_goes_on_where_it_broke_off(city: House, wire: Wire, tmp_path: Path) -> None:
    month = next(each for each in city.dumps("parking") if each.name == "2025-11")

    def broken(answer: httpx.Response) -> httpx.Response:
        body = b"".join(answer.stream)  # type: ignore[arg-type]

        def pieces() -> Any:
            yield body[:1000]
            raise httpx.ReadError("the train enters a tunnel")

        return httpx.Response(answer.status_code, headers=answer.headers, content=pieces())

    wire.asked.clear()
    wire.instead = [broken]
    path = city.fetch(month, tmp_path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == month.sha256
    assert (path.name, path.stat().st_size) == ("parking-2025-11.parquet", month.bytes)
    assert wire.asked[1].headers["Range"] == "bytes=1000-"
    assert wire.asked[1].headers["If-Range"].startswith('"')
    city.fetch(month, tmp_path)  # it is the same still
    assert wire.asked[2].headers["If-None-Match"] == wire.asked[1].headers["If-Range"]
    assert len(wire.asked) == 3
    path.unlink()
    (tmp_path / f"{path.name}.part").write_bytes(b"x" * 1000)  # of something else, by whatever accident
    with pytest.raises(HouseError, match="digest"):
        city.fetch(month, tmp_path)
    assert not path.exists()
    assert city.fetch(month, tmp_path).stat().st_size == month.bytes


def test_a_program_writes_with_a_token(city: House, wire: Wire) -> None:
    from allmende.web.accounts.tokens import create_token

    with pytest.raises(Refused):
        city.write("goethe~free", {NEWEST: 1})
    _, secret = create_token("script", actor="test", may_write=True, datasets=["parking"])
    with House("http://localhost", secret, transport=wire) as mine:
        told = mine.write("goethe~free", [(NEWEST.replace(hour=1), 3), (NEWEST.replace(hour=2), 4)])
        assert len(told) == 2
        assert told[0].startswith("http")
        assert city.observations("goethe~free", newest_first=True, limit=1).column("result") == [4]
        with pytest.raises(WrongInput, match="1 of 2"):
            mine.write("goethe~free", [("2025-11-08T03:00:00Z", 5), ("9999-01-01T00:00:00Z", 6)])
        assert mine.write("goethe~free", []) == []


def test_a_token_is_sent_to_the_house_alone(wire: Wire) -> None:
    page = {"value": [], "@iot.nextLink": "https://elsewhere.example/sta/v1.1/Datastreams?$skip=1"}
    wire.instead = [
        httpx.Response(200, json=page),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
    ]
    with House("http://localhost", "secret", transport=wire) as mine, pytest.raises(Refused):
        mine.streams()
    assert {each.url.host for each in wire.asked} == {"localhost"}


def test_what_goes_wrong_is_said(city: House, wire: Wire) -> None:
    with pytest.raises(Missing) as caught:
        city.observations("nothing")
    assert caught.value.status == 404
    with pytest.raises(Missing, match="no files of 'transit'"):
        city.dumps("transit")
    with pytest.raises(Missing, match="no dataset 'nothing'"):
        city.streams(dataset="nothing")
    with pytest.raises(WrongInput, match="2024-04-01T00:00:00Z, lies before the start"):
        city.observations("goethe~free", start="2024-05-01", end="2024-04-01")
    with pytest.raises(WrongInput, match="nope"):
        city.observations("goethe~free", where="nope eq 1")
    busy = httpx.Response(429, headers={"Retry-After": "1"}, json={"message": "too often"})
    wire.instead = [busy, None]
    assert city.streams(dataset="parking")
    wire.instead = [busy, busy, busy]
    with pytest.raises(NotNow, match="too often") as late:
        city.streams()
    assert late.value.seconds == 1.0
    wire.instead = [httpx.Response(503, headers={"Retry-After": "900"})]
    with pytest.raises(NotNow):
        city.streams()
    wire.instead = [httpx.ConnectError("no route")]
    with pytest.raises(Unreachable, match="no route"):
        city.streams()
    wire.instead = [httpx.Response(500)]
    with pytest.raises(HouseError, match="500"):
        city.streams()


def test_a_table_is_a_frame_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(["time", "<n>"], [(NEWEST, 1), (NEWEST, None)])
    assert table.dicts()[0] == {"time": NEWEST, "<n>": 1}
    assert "&lt;n&gt;" in table._repr_html_()
    assert str(table).count("\n") == 2
    with pytest.raises(KeyError, match="<n>"):
        table.column("m")
    monkeypatch.setattr("allmende.client.table.find_spec", lambda name: None)
    assert table.frame() == table.dicts()
    with pytest.raises(ModuleNotFoundError, match="pip install polars"):
        table.polars()
    monkeypatch.undo()
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = table.frame()
    assert frame.schema == {"time": polars.Datetime("us", "UTC"), "<n>": polars.Int64}


@pytest.mark.parametrize("address", ["", "jena", "not a url", "ftp://localhost", "https://", "http://[half"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(WrongInput, match="no address of a house"):
        House(address)


def test_it_runs_where_the_house_does_not() -> None:
    code = "import sys, json, allmende.client; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not {"django", "msgspec", "pyarrow", "polars"} & loaded
    own = {name for name in loaded if name.startswith("allmende.")}
    assert all(name.startswith("allmende.client") for name in own)
