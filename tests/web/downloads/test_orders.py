"""A file is ordered, made by the worker and fetched in pieces; by nobody who may not see what is in it."""

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import timezone
from pyarrow import parquet
from tests.support import batch

from allmende.domain.records import Series
from allmende.domain.store import DatasetRecord
from allmende.web import house as opened
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.accounts.tokens import create_token
from allmende.web.citizens.models import OPEN, WAITING, OwnSensor
from allmende.web.downloads import making, orders
from allmende.web.downloads.folder import folder, path_of
from allmende.web.downloads.models import FAILED, MAKING, READY, Order
from allmende.web.grants.models import Grant
from allmende.web.reads.models import ReadNote

pytestmark = pytest.mark.django_db


def order(client: Client, status: int = 202, **said: Any) -> dict[str, Any]:
    answer = client.post("/downloads/", json.dumps(said), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def path_in(address: str) -> str:
    return address.removeprefix("http://testserver")


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def grant(user: User, dataset: str) -> Grant:
    return Grant.objects.create(
        dataset=dataset, user=user, purpose="so that it is tried", until=timezone.localdate() + timedelta(days=1)
    )


@pytest.fixture
def anna(db: Any) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("anna"))
    return client


def test_a_program_orders_waits_and_fetches(thread: Any) -> None:
    client = Client()
    said = order(client, dataset="parking", format="parquet", streams=["goethe*"])
    assert (said["state"], "file" in said) == ("waiting", False)
    assert thread.step()
    assert not thread.step()
    said = client.get(path_in(said["address"])).json()
    assert (said["state"], said["rows"]) == ("ready", 2)
    answer = client.get(path_in(said["file"]))
    got = body(answer)
    assert hashlib.sha256(got).hexdigest() == said["sha256"]
    assert answer["Content-Type"] == "application/vnd.apache.parquet"
    table = parquet.read_table(io.BytesIO(got))
    assert table.column("stream").to_pylist() == ["goethe~free"] * 2
    about = json.loads(parquet.ParquetFile(io.BytesIO(got)).metadata.metadata[b"allmende"])
    assert about["address"].endswith("/dataset/parking")
    assert about["licence"] == opened.open_profile().datasets["parking"].licence


def test_a_person_orders_by_a_form_and_looks_again(thread: Any) -> None:
    client = Client(headers={"accept-language": "de"})
    answer = client.post("/downloads/", {"dataset": "parking", "format": "csv-de", "start": "2025-11-08", "end": ""})
    assert answer.status_code == 303
    page = client.get(answer["Location"]).content.decode()
    assert "Ihre Datei wird erstellt. 0 Aufträge" in page
    thread.step()
    page = client.get(answer["Location"]).content.decode()
    assert "Datei abrufen" in page
    found = Order.objects.get()
    got = body(client.get(f"/downloads/{found.key}/file/parking-{found.asked:%Y-%m-%d}.csv.zip"))
    with zipfile.ZipFile(io.BytesIO(got)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("data.csv").decode("utf-8-sig")), delimiter=";"))
    # the day of the city begins an hour before that of UTC, and the reading of midnight UTC is in it
    assert [row["time_local"] for row in rows] == ["08.11.2025 01:00:00"] * 2
    assert client.post(f"/downloads/{found.key}/drop/").status_code == 303
    assert list(folder().iterdir()) == []


def test_a_transfer_that_broke_off_goes_on(thread: Any) -> None:
    client = Client()
    said = order(client, dataset="parking", format="geojson")
    thread.step()
    address = path_in(client.get(path_in(said["address"])).json()["file"])
    whole = client.get(address)
    data, tag = body(whole), whole["ETag"]
    assert whole["Accept-Ranges"] == "bytes"

    def ask(**headers: str) -> Any:
        return client.get(address, headers=headers)

    half = len(data) // 2
    for asked, start, stop in ((f"bytes={half}-", half, len(data)), ("bytes=0-9", 0, 10), ("bytes=-7", -7, None)):
        answer = ask(range=asked)
        assert (answer.status_code, body(answer)) == (206, data[start:stop])
    assert ask(range=f"bytes={half}-")["Content-Range"] == f"bytes {half}-{len(data) - 1}/{len(data)}"
    assert ask(range=f"bytes={half}-", if_range=tag).status_code == 206
    # another file by now: all of it, or the pieces would not fit together
    assert body(ask(range=f"bytes={half}-", if_range='"another"')) == data
    assert ask(range=f"bytes={len(data)}-").status_code == 416
    assert ask(range=f"bytes={len(data)}-")["Content-Range"] == f"bytes */{len(data)}"
    for odd in ("bytes=5-1", "bytes=-", "lines=1-2", "bytes=0-1,4-5", "bytes=a-b"):
        assert body(ask(range=odd)) == data
    assert ask(if_none_match=f"W/{tag}").status_code == 304
    head = client.head(address)
    assert (head["Content-Length"], body(head)) == (str(len(data)), b"")


def test_transfers_are_counted_so_that_pages_find_a_thread(thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from allmende.web.downloads import serving

    monkeypatch.setattr(serving, "_transfers", threading.BoundedSemaphore(1))
    client = Client()
    said = order(client, dataset="parking", format="geojson")
    thread.step()
    address = path_in(client.get(path_in(said["address"])).json()["file"])
    slow = client.get(address)
    assert client.get(address).status_code == 503
    assert body(slow)
    assert body(client.get(address))


def test_what_cannot_be_is_refused_with_its_place(thread: Any) -> None:
    client = Client()
    for said, message in (
        ({"dataset": "parking", "format": "doc"}, "format: 'doc' is no format"),
        ({"dataset": "parking", "start": "gestern"}, "start: 'gestern' is no day"),
        ({"dataset": "parking", "start": "2024-02", "end": "2024-01"}, "end: lies not behind"),
        ({"dataset": "parking", "columns": "x"}, "columns: there is no column 'x'"),
        ({"dataset": "parking", "bucket": "PT7M"}, "bucket: "),
        ({"dataset": "parking", "bbox": "1,2"}, "bbox: is four numbers"),
        ({"dataset": "parking", "limit": "1"}, "limit: is no part"),
        ({"format": "csv"}, "dataset: is missing"),
    ):
        assert message in order(client, 400, **said)["message"]
    assert client.post("/downloads/", b"[1", content_type="application/json").status_code == 400
    page = Client(headers={"accept-language": "de"}).post("/downloads/", {"dataset": "parking", "start": "x"})
    assert page.status_code == 400
    assert "Von: geben Sie einen Tag" in page.content.decode()
    assert not Order.objects.exists()


def test_a_page_of_another_site_orders_nothing(thread: Any) -> None:
    said = {"dataset": "parking"}
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert Client().post("/downloads/", said, headers=headers).status_code == 403
    assert Client().post("/downloads/", said, headers={"sec-fetch-site": "same-origin"}).status_code == 303


def test_orders_are_counted(thread: Any, settings: Any) -> None:
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, download_orders=1)
    order(Client(), dataset="parking")
    assert "ALLMENDE_DOWNLOAD_ORDERS" in order(Client(), 429, dataset="parking")["message"]
    order(Client(REMOTE_ADDR="203.0.113.77"), dataset="parking")
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, download_queue=2)
    assert "ALLMENDE_DOWNLOAD_QUEUE" in order(Client(REMOTE_ADDR="203.0.113.78"), 429, dataset="parking")["message"]


def test_what_is_not_open_is_as_if_it_were_not_there(thread: Any, anna: Client) -> None:
    hidden = order(anna, 404, dataset="transit")
    assert hidden == order(anna, 404, dataset="no-such-dataset")
    # granted, ordered, made: for whoever ordered alone
    given = grant(User.objects.get(), "transit")
    said = order(anna, dataset="transit", format="csv")
    thread.step()
    said = anna.get(path_in(said["address"])).json()
    address = path_in(said["file"])
    assert said["rows"] == 2
    assert anna.get(address).status_code == 200
    bert = User.objects.create_user("bert")
    grant(bert, "transit")
    other = Client()
    other.force_login(bert)
    for stranger in (Client(), other):
        for path in (address, path_in(said["address"]), f"/downloads/{said['key']}/"):
            assert stranger.get(path).status_code == 404
        assert stranger.post(f"/downloads/{said['key']}/drop/").status_code == 404
    assert "download.order" in {entry.action for entry in AuditEntry.objects.all()}
    readers = ReadNote.objects.filter(dataset="transit", reader__in=("user:anna", "user:bert"))
    assert {each.reader for each in readers} == {"user:anna"}
    # withdrawn between making and fetching
    Grant.objects.filter(pk=given.pk).update(withdrawn=timezone.now())
    assert anna.get(address).status_code == 404
    assert anna.get(address, headers={"range": "bytes=0-9"}).status_code == 404


def test_a_right_that_went_before_the_file_was_made_is_heeded(thread: Any, anna: Client) -> None:
    given = grant(User.objects.get(), "transit")
    order(anna, dataset="transit", format="csv")
    Grant.objects.filter(pk=given.pk).update(withdrawn=timezone.now())
    thread.step()
    assert Order.objects.get().state == FAILED
    assert list(folder().iterdir()) == []


def test_what_was_open_and_is_no_more_is_refused_at_once(thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    said = order(client, dataset="parking", format="csv")
    thread.step()
    address = path_in(client.get(path_in(said["address"])).json()["file"])
    assert client.get(address).status_code == 200
    profile = opened.open_profile()
    closed = msgspec.structs.replace(profile.datasets["parking"], access="restricted")
    now = msgspec.structs.replace(profile, datasets={**profile.datasets, "parking": closed})
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: now)
    assert client.get(address).status_code == 404
    assert client.get(path_in(said["address"])).status_code == 404


def test_a_token_orders_what_it_may_read_and_nothing_when_it_is_revoked(thread: Any) -> None:
    _, secret = create_token("lab", actor="test", datasets=["transit"])
    lab = Client(headers={"authorization": f"Bearer {secret}"})
    said = order(lab, dataset="transit", format="csv")
    thread.step()
    address = path_in(lab.get(path_in(said["address"])).json()["file"])
    assert lab.get(address).status_code == 200
    assert Client().get(address).status_code == 404
    order(lab, dataset="transit", format="csv")
    from allmende.web.accounts.tokens import revoke_token

    revoke_token("lab", actor="test")
    thread.step()
    assert Order.objects.filter(state=FAILED).count() == 1
    assert lab.get(address).status_code == 401


def test_simulated_data_are_had_where_they_are_asked_for_by_name(thread: Any) -> None:
    said = order(Client(), dataset="demo-parking", format="csv")
    thread.step()
    found = Order.objects.get(pk=said["key"])
    assert (found.state, found.rows) == (READY, 2)
    with zipfile.ZipFile(path_of(found)) as archive:
        assert "ACHTUNG: Dies sind keine Messwerte" in archive.read("LIESMICH-README.txt").decode()


def test_a_citizen_s_sensor_is_had_while_it_is_shown(thread: Any) -> None:
    giver = User.objects.create_user("giver")
    sensor = OwnSensor.objects.create(user=giver, name="Balkon", licence="CC0-1.0", precision="500", state=OPEN)
    store = opened.open_store()
    store.put_datasets([DatasetRecord(id=sensor.id_, licence="CC0-1.0")])
    made = batch(Series(stream=f"{sensor.id_}~pm10", times=[1_700_000_000_000_000], results=[7]), dataset=sensor.id_)
    own = msgspec.structs.replace(made.declarations[0].sensor, id=sensor.id_)
    made.declarations = [msgspec.structs.replace(made.declarations[0], sensor=own)]
    store.append(made)
    said = order(Client(), dataset=sensor.id_, format="csv")
    thread.step()
    found = Order.objects.get(pk=said["key"])
    assert (found.state, found.rows) == (READY, 1)
    with zipfile.ZipFile(path_of(found)) as archive:
        assert json.loads(archive.read("datapackage.json"))["licenses"][0]["name"] == "CC0-1.0"
    address = path_in(Client().get(path_in(said["address"])).json()["file"])
    assert Client().get(f"/downloads/{said['key']}/").status_code == 200
    assert Client().get(address).status_code == 200
    OwnSensor.objects.update(state=WAITING)
    assert Client().get(address).status_code == 404
    assert Client().get(f"/downloads/{said['key']}/").status_code == 404


def test_a_file_that_is_too_large_or_finds_no_room_is_not_made(
    thread: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "SECONDS", 0.0)
    for limit, setting in (({"download_bytes": 0}, "DOWNLOAD_BYTES"), ({"downloads_bytes": -1}, "DOWNLOADS_BYTES")):
        thread._config = msgspec.structs.replace(settings.ALLMENDE, **limit)
        said = order(Client(), dataset="parking", format="csv")
        thread.step()
        found = Order.objects.get(pk=said["key"])
        assert (found.state, f"ALLMENDE_{setting}" in found.error) == (FAILED, True)
    thread._config = msgspec.structs.replace(settings.ALLMENDE, disk_floor=2**60)
    order(Client(), dataset="parking", format="csv")
    thread.step()
    assert "Platte ist fast voll" in Order.objects.first().error  # type: ignore[union-attr]
    assert list(folder().iterdir()) == []


def test_orders_go_by_their_age_and_files_with_them(thread: Any, settings: Any) -> None:
    order(Client(), dataset="parking", format="csv")
    thread.step()
    (folder() / "left.part").mkdir()
    assert orders.prune() == 0
    assert len(list(folder().iterdir())) == 1
    past = timezone.now() - timedelta(hours=settings.ALLMENDE.download_hours + 1)
    Order.objects.update(asked=past)
    assert orders.prune() == 1
    assert list(folder().iterdir()) == []


def test_an_order_that_is_let_go_of_meanwhile_leaves_nothing(thread: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "SECONDS", 0.0)
    said = order(Client(), dataset="parking", format="csv")
    real = making.make_file

    def slow(*given: Any) -> int:
        Order.objects.filter(pk=said["key"]).delete()
        return real(*given)

    monkeypatch.setattr(making, "make_file", slow)
    assert not thread.step()
    assert list(folder().iterdir()) == []


def test_personal_data_of_orders_stands_in_the_docs() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "personal-data.md").read_text("utf-8")
    for field in ("user", "token", "client", "selection"):
        assert Order._meta.get_field(field)
        assert f"``{field}``" in (Order.__doc__ or "")
        assert f"`{field}`" in text.partition("## Orders of files")[2].partition("## ")[0]


def test_what_a_worker_dies_of_does_not_kill_it_for_ever(thread: Any) -> None:
    said = order(Client(), dataset="parking", format="csv")
    Order.objects.update(state=MAKING, attempts=making.ATTEMPTS)
    thread.step()
    assert Order.objects.get(pk=said["key"]).state == FAILED


_KILLED = """
import os, signal, sys
from pathlib import Path
from allmende.domain.policy import ANONYMOUS
from allmende.domain.records import Series
from allmende.faces.files.formats import FORMATS
from allmende.faces.files.make import make_file
from allmende.faces.files.readings import Source
from tests.faces.test_files import Selection, about
from tests.support import DATASETS, batch, sqlite_store

store = sqlite_store(Path(sys.argv[1]))
store.put_datasets(DATASETS)
times = [1_700_000_000_000_000 + n * 60_000_000 for n in range(25_000)]
store.append(batch(Series(stream="goethe~free", times=times, results=list(range(25_000)))))

def die(rows):
    if rows >= 20_000:
        os.kill(os.getpid(), signal.SIGKILL)

source = Source(store=store, reader=ANONYMOUS, zone="Europe/Berlin")
make_file(source, about(Selection(dataset="parking")), FORMATS["csv"], Path(sys.argv[2]), die)
"""


def test_a_worker_that_is_killed_leaves_no_half_file(thread: Any, tmp_path: Path) -> None:
    """A process of its own is killed while it writes where this one goes on."""
    said = order(Client(), dataset="parking", format="csv")
    Order.objects.update(state=MAKING, attempts=1)
    place = folder() / f"{said['key']}.part"
    place.mkdir()
    half = place / "file.csv.zip"
    root = Path(__file__).resolve().parents[3]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), str(half)], env=environ, capture_output=True, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert half.stat().st_size > 0
    assert not zipfile.is_zipfile(half)
    assert client_state(said) == "making"
    thread.step()
    assert client_state(said) == "ready"
    assert [path.name for path in folder().iterdir()] == [f"{said['key']}.csv.zip"]
    with zipfile.ZipFile(path_of(Order.objects.get())) as archive:
        assert archive.testzip() is None


def client_state(said: dict[str, Any]) -> str:
    return str(Client().get(path_in(said["address"])).json()["state"])
