"""Dumps: all that is open and nothing else, a month a file, made again where something changed, gone when it has to."""

import io
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from django.test import Client
from pyarrow import parquet
from tests.support import HOUSE, batch
from tests.web.catalogue.conftest import DAY, MIDNIGHT

from allmende.domain.batch import Amendment, Batch, Removal
from allmende.domain.bounds import Bounds
from allmende.domain.errors import Conflict, NotFound
from allmende.domain.feature_checks import check_features
from allmende.domain.query import Query, Step
from allmende.domain.records import Collection, Feature, Features, Series
from allmende.domain.times import HOUR, Interval
from allmende.web import house as opened
from allmende.web.accounts.models import AuditEntry
from allmende.web.cli import files
from allmende.web.cli.opened import Opened
from allmende.web.downloads import dumping, nightly
from allmende.web.downloads.folder import dump_path, dumps_folder, path_of
from allmende.web.downloads.models import Dump, Order

pytestmark = pytest.mark.django_db
NOVEMBER = "/dumps/parking/2025-11.parquet"


@pytest.fixture
def dumps(thread: Any, settings: Any) -> Any:
    """The worker's thread, not running, whose clock is told."""
    made = nightly.DumpsThread(
        opened.open_store(), lambda: opened.open_profile(), settings.ALLMENDE, threading.Event(), clock=lambda: NOW[0]
    )
    made.look()
    return made


NOW = [MIDNIGHT]


@pytest.fixture(autouse=True)
def _clock() -> Any:
    NOW[0] = MIDNIGHT + DAY
    yield
    NOW[0] = MIDNIGHT


def night(dumps: Any) -> None:
    NOW[0] += DAY
    dumps.look()


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def table(path: str = NOVEMBER) -> pa.Table:
    answer = Client().get(path)
    assert answer.status_code == 200, answer.content
    return parquet.read_table(io.BytesIO(body(answer)))


def add(*series: Series, dataset: str = "parking") -> None:
    made = batch(*series, dataset=dataset, at=NOW[0], origin=f"feed-{dataset}")
    sensor = msgspec.structs.replace(made.declarations[0].sensor, id=f"sensor-{dataset}")
    made.declarations = [msgspec.structs.replace(each, sensor=sensor) for each in made.declarations]
    opened.open_store().append(made)


def remove(entity: str, id_: str) -> None:
    target = Query(entity=entity, reader=HOUSE, id=id_)
    opened.open_store().remove(Removal(target=target, origin="user:x", received_at=NOW[0]))


def test_a_night_gives_all_that_is_open_and_nothing_else(dumps: Any) -> None:
    assert Client().get(NOVEMBER).status_code == 404  # the first are made in the first night
    night(dumps)
    found = table()
    assert found.column_names == ["stream", "time", "time_end", "result", "result_text", "flags", "result_time"]
    assert found.column("stream").to_pylist() == ["goethe~free"] * 2 + ["markt~free"] * 2
    assert found.column("time").cast(pa.int64()).to_pylist() == [MIDNIGHT - DAY, MIDNIGHT] * 2
    assert found.column("flags").to_pylist() == ["above", None] * 2
    assert table("/dumps/parking/streams.parquet").column("unit").to_pylist() == ["{space}"] * 2
    for hidden in ("transit", "demo-parking"):
        assert Client().get(f"/dumps/{hidden}/2025-11.parquet").status_code == 404
    assert {dump.dataset for dump in Dump.objects.all()} == {"parking"}
    assert {path.name for path in dumps_folder().iterdir()} == {"parking", "lock"}
    said = json.loads(parquet.read_metadata(dump_path("parking", "2025-11")).metadata[b"allmende"])
    assert said["licence"] == opened.open_profile().datasets["parking"].licence
    assert said["selection"]["start"] == "2025-11-01T00:00:00.000Z"


def test_programs_find_them_with_their_checksums(dumps: Any) -> None:
    night(dumps)
    said = Client().get("/dumps/manifest.json").json()["datasets"]
    assert [each["id"] for each in said] == ["parking"]
    month = next(each for each in said[0]["files"] if each["name"] == "2025-11")
    data = body(Client().get(month["address"].removeprefix("http://testserver")))
    assert (month["bytes"], month["rows"]) == (len(data), 4)
    assert Client().get("/dumps/parking/manifest.json").json() == said[0]
    graph = Client().get("/dataset/parking.ttl").content.decode()
    assert f'spdx:checksumValue "{month["sha256"]}"^^xsd:hexBinary' in graph
    assert f'dcat:byteSize "{len(data)}"^^xsd:nonNegativeInteger' in graph
    resources = Client().get("/api/3/action/package_show?id=parking").json()["result"]["resources"]
    assert f"sha256:{month['sha256']}" in [each["hash"] for each in resources]
    # what is a page for people names them too, in both languages
    for language, words in (("de", "Vergangenheit als Dateien"), ("en", "History as files")):
        for path in ("/dumps/", "/dumps/parking/"):
            assert words in Client(headers={"accept-language": language}).get(path).content.decode()
    assert f"pl.scan_parquet(&quot;{month['address']}&quot;)" in Client().get("/dataset/parking").content.decode()
    part = Client().get(NOVEMBER, headers={"range": "bytes=0-3"})
    assert (part.status_code, body(part)) == (206, b"PAR1")


def test_only_what_changed_is_made_again(dumps: Any) -> None:
    add(Series(stream="goethe~free", times=[MIDNIGHT - 40 * DAY], results=[1]))
    night(dumps)
    before = {dump.name: (dump.turn, dump.digest) for dump in Dump.objects.all()}
    assert set(before) == {"2025-09", "2025-10", "2025-11", "streams"}
    assert Dump.objects.get(name="2025-10").size == 0
    assert Client().get("/dumps/parking/2025-10.parquet").status_code == 404
    night(dumps)
    same = {name: told for name, told in before.items() if name != "streams"}
    assert {dump.name: (dump.turn, dump.digest) for dump in Dump.objects.exclude(name="streams")} == same
    # a correction of one month, a late value in the empty one
    add(Series(stream="goethe~free", times=[MIDNIGHT - 40 * DAY, MIDNIGHT - 20 * DAY], results=[2, 3]))
    dumps.look()
    assert {dump.name for dump in Dump.objects.filter(stale=True)} == {"2025-09", "2025-10"}
    assert table("/dumps/parking/2025-09.parquet").column("result").to_pylist() == [1.0]  # until the night
    night(dumps)
    assert table("/dumps/parking/2025-09.parquet").column("result").to_pylist() == [2.0]
    assert table("/dumps/parking/2025-10.parquet").column("result").to_pylist() == [3.0]
    after = {dump.name: dump.digest for dump in Dump.objects.all()}
    assert after["2025-11"] == before["2025-11"][1]


def test_another_licence_is_another_file(dumps: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    night(dumps)
    profile = opened.open_profile()
    other = msgspec.structs.replace(profile.datasets["parking"], licence="CC0-1.0")
    now = msgspec.structs.replace(profile, datasets={**profile.datasets, "parking": other})
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: now)
    night(dumps)
    said = json.loads(parquet.read_metadata(dump_path("parking", "2025-11")).metadata[b"allmende"])
    assert said["licence"] == "CC0-1.0"


def test_a_file_that_is_damaged_is_made_again(dumps: Any) -> None:
    night(dumps)
    dump_path("parking", "2025-11").write_bytes(b"half")
    dump_path("parking", "streams").unlink()
    assert Client().get("/dumps/parking/streams.parquet").status_code == 404
    night(dumps)
    assert table().num_rows == 4
    assert table("/dumps/parking/streams.parquet").num_rows == 2


def test_what_was_deleted_is_given_to_nobody(dumps: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    night(dumps)
    for state in ("ready", "making"):
        Order.objects.create(
            client="x", dataset="parking", selection={"dataset": "parking"}, format="csv", language="de", state=state
        )
    path_of(Order.objects.get(state="ready")).write_bytes(b"with it")
    monkeypatch.setattr(dumps._dumper, "round", lambda *_, **__: None)
    remove("Observation", str(opened.open_store().find(Query(entity="Observation", reader=HOUSE, top=1)).rows[0][1]))
    dumps.look()
    assert Client().get(NOVEMBER).status_code == 503
    assert Client().get(NOVEMBER, headers={"range": "bytes=0-3"}).status_code == 503
    assert "2025-11" not in Client().get("/dumps/manifest.json").content.decode()
    assert sorted(Order.objects.values_list("state", flat=True)) == ["failed", "waiting"]
    assert not path_of(Order.objects.get(state="failed")).exists()
    monkeypatch.undo()
    dumps._soon = float("-inf")
    dumps.look()
    assert table().num_rows == 3


def test_a_stream_that_is_gone_is_found_in_the_files_that_hold_it(dumps: Any) -> None:
    add(Series(stream="goethe~free", times=[MIDNIGHT - 40 * DAY], results=[1]))
    night(dumps)
    dumps._soon = float("inf")
    remove("Datastream", "markt~free")
    dumps.look()
    assert Client().get(NOVEMBER).status_code == 503
    assert Client().get("/dumps/parking/streams.parquet").status_code == 503
    assert table("/dumps/parking/2025-09.parquet").num_rows == 1
    dumps._soon = float("-inf")
    dumps.look()
    assert set(table().column("stream").to_pylist()) == {"goethe~free"}
    assert table("/dumps/parking/streams.parquet").column("stream").to_pylist() == ["goethe~free"]


def test_what_is_not_open_any_more_is_refused_at_once_and_deleted(dumps: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    night(dumps)
    profile = opened.open_profile()
    closed = msgspec.structs.replace(profile.datasets["parking"], access="restricted")
    now = msgspec.structs.replace(profile, datasets={**profile.datasets, "parking": closed})
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: now)
    for path in (NOVEMBER, "/dumps/parking/", "/dumps/parking/manifest.json", "/dumps/parking/streams.parquet"):
        assert Client().get(path).status_code == 404
        assert Client().get(path.replace("parking", "no-such")).status_code == 404
    assert Client().get("/dumps/manifest.json").json() == {"datasets": []}
    dumps.look()
    assert not dump_path("parking", "2025-11").exists()
    assert not Dump.objects.exists()


def test_a_span_that_ends_with_its_month_is_in_that_month(dumps: Any) -> None:
    _, end = dumping.span_of("2025-11")
    add(Series(stream="goethe~free", times=[end - HOUR], results=[5]))
    store = opened.open_store()
    path = (Step("Datastream", "goethe~free", "Observations"),)
    last = max(store.find(Query(entity="Observation", reader=HOUSE, path=path)).rows, key=lambda row: row[2])
    target = Query(entity="Observation", reader=HOUSE, id=str(last[1]))
    span = {"phenomenonTime": Interval(end - HOUR, end)}
    store.change(Amendment(target=target, origin="user:x", received_at=NOW[0], values=span))
    night(dumps)
    assert end in table().column("time_end").cast(pa.int64()).to_pylist()
    assert Client().get("/dumps/parking/2025-12.parquet").status_code == 404


def test_objects_are_there_as_they_are_now(dumps: Any) -> None:
    def deliver(*names: str) -> None:
        point = {"type": "Point", "coordinates": [11.5, 50.9]}
        items = [Feature(id=name, geometry=point, properties={"kind": name}) for name in names]
        found, _ = check_features(Features(collection="trees", items=items), Bounds())
        opened.open_store().append(
            Batch(
                origin="register", dataset="parking", reader=HOUSE, received_at=NOW[0],
                collections=[Collection(id="trees", title="Bäume", snapshot=True)], features=[found],
                delivered=("trees",),
            )
        )  # fmt: skip

    deliver("oak", "elm")
    night(dumps)
    path = "/dumps/parking/objects-trees.parquet"
    assert table(path).column("kind").to_pylist() == ["elm", "oak"]
    NOW[0] += DAY
    deliver("oak")
    night(dumps)
    assert table(path).column("kind").to_pylist() == ["oak"]


def test_nights_are_those_of_the_city() -> None:
    # 2025-03-30T01:30Z is 03:30 in Berlin, where the clock was just put forward
    moment = int(datetime(2025, 3, 30, 1, 30, tzinfo=UTC).timestamp()) * 1_000_000
    assert nightly.last_night(moment, "Europe/Berlin", 3) == moment - HOUR // 2
    assert nightly.last_night(moment - HOUR, "Europe/Berlin", 3) < moment - 20 * HOUR


def test_two_do_not_make_them_at_once(dumps: Any) -> None:
    with dumping._alone(), pytest.raises(Conflict), dumping._alone():
        pass


def test_a_house_without_dumps_keeps_none(dumps: Any, settings: Any) -> None:
    night(dumps)
    settings.ALLMENDE = dumps._config = msgspec.structs.replace(settings.ALLMENDE, dumps=False)
    assert Client().get(NOVEMBER).status_code == 404
    dumps.look()
    assert not Dump.objects.exists()
    assert not dump_path("parking", "2025-11").exists()


def test_an_operator_makes_them_now_and_writes_what_is_not_open_to_a_file(
    dumps: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = Opened(config=dumps._config, profile=opened.open_profile(), store=opened.open_store())
    monkeypatch.setattr(files, "open_house", lambda: house)
    assert files.dump([], as_json=True) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"made": 2, "kept": 0, "failed": []}
    assert table().num_rows == 4
    with pytest.raises(NotFound, match="no open dataset"):
        files.dump(["transit"], as_json=True)
    path = tmp_path / "out.parquet"
    said = {"dataset": "transit", "start": "2025-11-08"}
    files.export(said, "parquet", path, as_json=True)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["rows"], told["bytes"]) == (1, path.stat().st_size)
    assert parquet.read_table(path).column("stream").to_pylist() == ["bus~free"]
    assert AuditEntry.objects.filter(action="export", object="dataset:transit").exists()
    with pytest.raises(Conflict, match="nothing is overwritten"):
        files.export(said, "csv", path, as_json=True)
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []
