"""Who read what is not open stands in the log before they have the answer; what is open is read without a trace."""

import inspect
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from msgspec.structs import replace
from tests.support import HOUSE, batch

from allmende.domain.batch import Batch
from allmende.domain.bounds import Bounds
from allmende.domain.feature_checks import check_features
from allmende.domain.policy import Reader
from allmende.domain.query import Query, Step
from allmende.domain.records import Collection, Feature, Features, Rejection, Series
from allmende.domain.store import DatasetRecord, Store
from allmende.web.accounts.models import AuditEntry, Membership, User
from allmende.web.accounts.tokens import create_token
from allmende.web.broker.notifier import Notifier
from allmende.web.broker.watches import Watch
from allmende.web.house import open_profile, open_store, store_for
from allmende.web.reads import noting
from allmende.web.reads.models import ReadNote
from allmende.web.reads.notes import Notes, write_entries

NOON = 1_700_000_000_000_000
PLACE = {"type": "Point", "coordinates": [11.58, 50.92]}
BOB = Reader(name="user:bob", datasets=frozenset({"closed"}))
READINGS = "Datastreams('depot~free')/Observations"


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    made = Notes()
    monkeypatch.setattr(noting, "notes", made)
    return made


@pytest.fixture
def token(db: Any, notes: Notes) -> dict[str, str]:
    store = open_store()
    store.put_datasets([DatasetRecord(id="public"), DatasetRecord(id="closed", access="restricted")])
    for dataset, stream in (("public", "garage~free"), ("closed", "depot~free")):
        told = batch(Series(stream=stream, times=[NOON], results=[1]), dataset=dataset, origin=f"test-{dataset}")
        told.declarations = [_own_sensor(each, dataset) for each in told.declarations]
        store.append(told)
    found, _ = check_features(Features(collection="closed-trees", items=[Feature(id="oak", geometry=PLACE)]), Bounds())
    trees = Collection(id="closed-trees", title="trees")
    store.append(
        Batch(
            origin="test-trees", dataset="closed", reader=HOUSE, received_at=NOON, collections=[trees], features=[found]
        )
    )
    _, secret = create_token("science", actor="test", datasets=["closed"])
    return {"Authorization": f"Bearer {secret}"}


def _own_sensor(declaration: Any, dataset: str) -> Any:
    return replace(declaration, sensor=replace(declaration.sensor, id=f"sensor-{dataset}"))


def noted() -> dict[tuple[str, str], tuple[int, int]]:
    return {(each.reader, each.dataset): (each.answers, each.conditions) for each in ReadNote.objects.all()}


def test_a_read_is_written_down_before_the_answer_and_counted_behind_it(client: Client, token, notes) -> None:
    assert client.get(f"/sta/v1.1/{READINGS}", headers=token).json()["value"]
    assert noted() == {("token:science", "closed"): (0, 0)}
    client.get(f"/sta/v1.1/{READINGS}", headers=token)
    notes.flush()
    assert noted() == {("token:science", "closed"): (2, 0)}
    notes.flush()
    assert noted() == {("token:science", "closed"): (2, 0)}


@pytest.mark.parametrize(
    "address",
    [
        "/sta/v1.1/Datastreams('depot~free')",
        "/sta/v1.1/Datastreams?$top=0&$count=true",
        "/sta/v1.1/Things('depot')?$expand=Datastreams/Observations",
        f"/sta/v1.1/{READINGS}?$apply=aggregate(result with sum as s)",
        f"/sta/v1.1/{READINGS}?$resultFormat=CSV",
        "/explorer/series.json?stream=depot~free&from=all",
        "/explorer/origin/?stream=depot~free",
        "/ogc/v1/collections/closed-trees/items",
        "/ogc/v1/collections/closed-trees/items/oak",
    ],
)
def test_every_face_is_noted(client: Client, token, notes, address: str) -> None:
    answer = client.get(address, headers=token)
    assert answer.status_code == 200, answer.content
    assert ("token:science", "closed") in noted()


def test_what_is_open_leaves_no_trace(client: Client, token, notes) -> None:
    for headers in ({}, token):
        assert client.get("/sta/v1.1/Datastreams('garage~free')/Observations", headers=headers).json()["value"]
        assert client.get("/ogc/v1/collections", headers=headers).status_code == 200
    assert client.get("/sta/v1.1/Datastreams").json()["value"]
    assert client.get("/").status_code == 200
    assert noted() == {}
    assert store_for(Reader(name="anonymous")) is open_store()


def test_a_condition_on_other_entities_is_noted_apart(client: Client, token, notes) -> None:
    client.get("/sta/v1.1/ObservedProperties?$filter=Datastreams/name eq 'nothing'", headers=token)
    notes.flush()
    assert noted() == {("token:science", "closed"): (0, 1)}


def test_without_a_note_there_is_no_answer(client: Client, token, notes, monkeypatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(ReadNote.objects, "bulk_create", fail)
    answer = client.get(f"/sta/v1.1/{READINGS}", headers=token)
    assert answer.status_code == 503
    assert b"result" not in answer.content


def test_what_somebody_gives_themselves_is_theirs_to_read(notes) -> None:
    assert not noting.is_noted(Reader(name="user:anna", datasets=frozenset({"own-3"})))
    assert noting.is_noted(Reader(name="user:anna", datasets=frozenset({"own-3", "closed"})))


def test_an_hour_that_is_over_becomes_one_entry_of_the_audit_log(token, notes) -> None:
    noting.note(BOB, frozenset({"closed"}))
    noting.note(BOB, frozenset({"closed"}), elsewhere=True)
    notes.flush()
    now = ReadNote.objects.get().hour.replace(minute=30)  # the next hour may have begun meanwhile
    assert write_entries(now) == 0
    assert write_entries((now + timedelta(hours=1)).replace(minute=5)) == 0
    assert write_entries((now + timedelta(hours=1)).replace(minute=15)) == 1
    entry = AuditEntry.objects.get(action="data.read")
    assert (entry.actor, entry.object) == ("user:bob", "dataset:closed")
    assert entry.detail == {
        "hour": now.replace(minute=0, second=0, microsecond=0).isoformat(),
        "answers": 2,
        "conditions": 0,
    }
    assert not ReadNote.objects.exists()


def test_all_who_listen_to_a_topic_are_noted(token, notes) -> None:
    path = (Step("Datastream", "depot~free", "Observations"),)
    page = open_store().find(Query(entity="Observation", reader=BOB, path=path))
    notifier = Notifier.__new__(Notifier)
    notifier._store = open_store()
    watch = Watch(subscription=None, clients=frozenset({"token:a", "token:b"}), key=("", BOB.datasets))  # type: ignore[arg-type]
    notifier._note(watch, page)
    assert set(noted()) == {("token:a", "closed"), ("token:b", "closed")}


NOT_NOTED = {
    "collections": "what there is, not what was measured",
    "figures": "what there is, not what was measured",
    "names": "what there is, not what was measured",
    "rewrite_place": "writes",
    "forget_source": "writes",
    "disclosed_by": "the house's own question",
}


def test_every_way_to_read_is_noted_or_says_why_not() -> None:
    """A new method of the store that answers a reader does not get past the notes."""
    answering = {
        name
        for name, method in vars(Store).items()
        if callable(method) and any(word in str(inspect.signature(method)) for word in ("Reader", "Query", "Aggregat"))
        and not name.startswith("_")
    }  # fmt: skip
    assert answering == {name for name in vars(noting._Noting) if not name.startswith("_")} | set(NOT_NOTED)


def test_messages_that_could_not_be_taken_are_data_too(token, notes, monkeypatch) -> None:
    """Of a source that feeds what is not open."""
    profile = open_profile()
    closed = [
        each for each in profile.sources.values()
        if each.dataset in profile.datasets and profile.datasets[each.dataset].access != "open"
    ]  # fmt: skip
    if not closed:
        pytest.skip("all sources of this city feed what is open")
    source = closed[0]
    monkeypatch.setattr("allmende.web.portal.rejections.notes", notes)
    stella = User.objects.create_user("stella")
    Membership.objects.create(user=stella, role="steward")
    client = Client()
    client.force_login(stella)
    client.get(f"/sources/{source.id}/rejections/")
    assert noted() == {}
    told = [Rejection(reason="no", body=b"x")]
    open_store().append(
        Batch(origin=source.id, dataset=source.dataset, reader=HOUSE, received_at=NOON, rejections=told)
    )
    assert client.get(f"/sources/{source.id}/rejections/").status_code == 200
    assert noted() == {("user:stella", source.dataset): (0, 0)}
