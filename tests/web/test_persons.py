"""Requests of persons: what is held of them reaches them, and what is erased leads to nobody, also after a restore."""

import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace

from allmende.domain.batch import Batch
from allmende.domain.errors import Conflict, Forbidden
from allmende.domain.policy import house_reader
from allmende.domain.records import Rejection
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import AuditEntry, Membership, Token, User
from allmende.web.accounts.people import remove_user
from allmende.web.accounts.tokens import create_token
from allmende.web.accounts.verifying import verify
from allmende.web.backup import prune_backups, restore, write_backup
from allmende.web.citizens import keeping
from allmende.web.citizens.models import LEAVE, OPEN, OwnSensor
from allmende.web.feedback.models import Message
from allmende.web.grants.models import Grant
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.making.models import Making
from allmende.web.office.models import Revision
from allmende.web.persons import asking, marks, parcels
from allmende.web.persons.models import DONE, PROPOSED, READY, ErasedMark, PersonRequest, month_after
from allmende.web.persons.reach import everything, look, subject_of
from allmende.web.persons.work import PersonsThread
from allmende.web.reads.models import ReadNote

pytestmark = pytest.mark.django_db(transaction=True)
HOUSE = house_reader("test")
MAIL = "anna@city.example"
NOTE = "by letter, with a copy of the passport"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transactional_db: Any) -> Any:
    monkeypatch.setattr(settings, "ALLMENDE", replace(settings.ALLMENDE, home=tmp_path))
    furnish(open_store(), open_profile())
    yield tmp_path
    for sensor in OwnSensor.objects.all():  # the measured world is not Django's to empty
        open_store().forget_source(sensor.id_, sensor.id_, reader=HOUSE, origin="test", at=0)


@pytest.fixture
def anna() -> User:
    """Somebody who left something everywhere."""
    user = User.objects.create_user("anna", MAIL, first_name="Änne")
    EmailAddress.objects.create(user=user, email=MAIL, verified=True)
    Membership.objects.create(user=user, role="editor")
    create_token("annas-gate", actor="user:anna", user=user, may_write=True)
    today = timezone.localdate()
    Grant.objects.create(dataset="people", user=user, purpose="to plan bus lines", until=today)
    record("user:stella", "grant.give", "dataset:people", to="user:anna")
    Revision.objects.create(kind="dataset", key="trees", number=1, state="released", bundle="b", author=user)
    Making.objects.create(user=user, name="annas list.csv")
    Message.objects.create(kind="fault", text="The page is grey", email="Anna@City.example")
    Message.objects.create(kind="fault", text="Somebody else's", email="bob@city.example")
    ReadNote.objects.create(reader="user:anna", dataset="people", hour=timezone.now())
    for hour in ("2026-11-01T10:00:00+00:00", "2026-11-02T10:00:00+00:00"):
        record("user:anna", "data.read", "dataset:people", hour=hour, answers=3, conditions=0)
    record("user:anna", "dataset.edit", "dataset:trees")
    origin = {"origin": "token:annas-gate", "dataset": "commons", "reader": HOUSE, "received_at": 1}
    open_store().append(Batch(**origin, rejections=[Rejection(reason="no", body=b"annas bytes")]))
    return user


@pytest.fixture
def sensor(anna: User) -> OwnSensor:
    made = OwnSensor(name="Annas Hof", licence="CC0-1.0", measures={"temperature": {}}, precision="1km")
    made.lon, made.lat = 11.58, 50.92
    keeping.register(anna, made, settings.ALLMENDE)
    return made


def steward(name: str) -> tuple[User, Client]:
    user = User.objects.create_user(name)
    Membership.objects.create(user=user, role="steward")
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    client.force_login(user)
    return user, client


def mentions(word: str) -> list[str]:
    """Tables of paperwork that hold a word anywhere."""
    from allmende.web.backup import paperwork

    found = []
    for model in paperwork():
        text = json.dumps(list(model._base_manager.values_list()), default=str, ensure_ascii=False).lower()
        if word.lower() in text:
            found.append(model._meta.label_lower)
    return found


def test_a_person_gets_all_of_it_in_one_file(anna: User, sensor: OwnSensor) -> None:
    made = asking.ask_access(anna)
    assert asking.ask_access(anna).pk == made.pk
    assert made.due == month_after(made.received)
    thread = PersonsThread(open_profile, None)  # type: ignore[arg-type]
    assert thread.step()
    assert not thread.step()
    made.refresh_from_db()
    assert made.state == READY
    assert {"account", "tokens", "own-sensors", "grants", "messages", "audit", "makings"} <= set(made.found)
    with zipfile.ZipFile(parcels.path_of(made)) as archive:
        told = json.loads(archive.read("data.json"))
        page = archive.read("index.html").decode()
        assert any(name.startswith("rejected/token-annas-gate") for name in archive.namelist())
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert told["account"][0]["first_name"] == "Änne"
    assert [each["text"] for each in told["messages"]] == ["The page is grey"]
    assert [each["how"] for each in told["grants"]] == ["received"]
    assert "Annas Hof" in page
    granted = next(each for each in told["audit"] if each["action"] == "grant.give")
    assert (granted["actor"], granted["detail"]) == ("user:…", {"to": "user:anna"})
    token = Token.objects.get(name="annas-gate")
    for secret in (anna.password, token.digest, token.broker_hash, "bob@"):
        assert not secret or secret.encode() not in whole
    assert (parcels.path_of(made).stat().st_mode & 0o777) == 0o600


def test_what_is_erased_leads_to_nobody(anna: User, sensor: OwnSensor) -> None:
    before = {each["place"]: each["count"] for each in look(subject_of(anna)) if each["count"]}
    thing, number = sensor.id_, AuditEntry.objects.count()
    stella, _client = steward("stella")
    letter = asking.write_down(stella, kind="access", about=MAIL, received=timezone.localdate(), note=f"Anna: {NOTE}")
    PersonsThread(open_profile, None).step()  # type: ignore[arg-type]
    assert parcels.path_of(letter).is_file()
    done = asking.erase_self(anna)
    assert not parcels.path_of(letter).exists()
    assert set(before) - {"requests"} <= set(done.found)
    for word in ("anna", "änne", "annas-gate", "annas list", "Hof"):
        assert mentions(word) == [], word
    assert open_store().rejections(source="token:annas-gate") == []
    assert not open_store().disclosed_of(datasets=[thing])
    assert verify("").break_ is None
    assert AuditEntry.objects.count() > number
    kept = {(each.place, each.why) for each in done.kept}
    assert kept == {
        ("grants", "recipients"), ("audit", "recipients"), ("revisions", "decisions"), ("tokens", "commons"),
    }  # fmt: skip
    told = AuditEntry.objects.get(action="data.read.before")
    assert (told.actor, told.object, told.detail["hours"], told.detail["answers"]) == (
        done.pseudonym, "dataset:people", 2, 6,
    )  # fmt: skip
    request = PersonRequest.objects.get(kind="erasure")
    assert (request.state, request.account, request.about) == (DONE, None, "")
    assert request.backups_until == timezone.localdate() + timedelta(days=settings.ALLMENDE.backup_kept_days)
    assert Message.objects.get().email == "bob@city.example"


def test_given_sensors_go_as_the_person_chooses_now(anna: User, sensor: OwnSensor) -> None:
    OwnSensor.objects.filter(pk=sensor.pk).update(state=OPEN)
    done = asking.erase_self(anna, LEAVE)
    left = OwnSensor.objects.get()
    assert (left.user, left.description, "Hof" in left.name) == (None, "", False)
    assert ("own-sensors", "commons") in {(each.place, each.why) for each in done.kept}


def test_a_restored_backup_forgets_again(anna: User, sensor: OwnSensor, home: Path) -> None:
    OwnSensor.objects.filter(pk=sensor.pk).update(state=OPEN, afterwards="delete")
    file = home / "house.allmende"
    write_backup(file, open_profile().id)
    asking.erase_self(anna, LEAVE)
    # the same name again is another person
    User.objects.create_user("anna")
    restore(file, open_profile().id, replace=True, actor="test")
    assert not User.objects.exists()
    assert mentions("änne") == mentions("annas-gate") == []
    assert OwnSensor.objects.get().user is None
    assert AuditEntry.objects.get(action="restore").detail["erased"] == 2
    assert Message.objects.get().email == "bob@city.example"


def test_old_backups_are_deleted_and_nothing_else(anna: User, home: Path) -> None:
    folder = home / "backups"
    folder.mkdir()
    write_backup(folder / "one.allmende", open_profile().id)
    (folder / "notes.txt").write_text("x")
    assert prune_backups(folder, open_profile().id, 0) == [folder / "one.allmende"]
    write_backup(folder / "two.allmende", open_profile().id)
    assert prune_backups(folder, open_profile().id, 1) == []
    assert prune_backups(folder, "another", 0) == []
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "two.allmende"]


def test_a_new_house_forgets_by_the_file(anna: User, home: Path) -> None:
    file = home / "house.allmende"
    write_backup(file, open_profile().id)
    remove_user(anna, actor="cli:op")
    lines = (home / marks.FILE).read_text("utf-8")
    assert "anna" not in lines
    ErasedMark.objects.all().delete()
    restore(file, open_profile().id, replace=True, actor="test")
    assert not User.objects.exists()


def test_marks_go_with_the_last_backup(anna: User, home: Path) -> None:
    remove_user(anna, actor="cli:op")
    assert marks.known_marks()
    assert marks.prune_marks() == 0
    ErasedMark.objects.update(at=timezone.now() - timedelta(days=settings.ALLMENDE.backup_kept_days + 1))
    lines = [json.loads(line) for line in (home / marks.FILE).read_text("utf-8").splitlines()]
    text = "".join(json.dumps({**line, "at": "2020-01-01T00:00:00+00:00"}) + "\n" for line in lines)
    (home / marks.FILE).write_text(text + "no line\n", "utf-8")
    assert marks.prune_marks() == len(lines)
    assert marks.known_marks() == []


def test_the_office_erases_with_four_eyes(anna: User) -> None:
    stella, client = steward("stella")
    _bert, other = steward("bert")
    form = {"kind": "erasure", "about": MAIL.upper(), "received": "2026-01-31", "note": NOTE}
    assert client.post("/office/persons/", {**form, "about": "nobody"}).status_code == 422
    assert client.post("/office/persons/", {**form, "note": "x"}).status_code == 422
    assert client.post("/office/persons/", {**form, "received": "2099-01-01"}).status_code == 422
    page = client.post("/office/persons/", form)["Location"]
    made = PersonRequest.objects.get()
    assert (made.account, made.state, made.due) == (anna, PROPOSED, date(2026, 2, 28))
    assert made.late
    shown = client.get(page).text
    assert "Eigene Sensoren" in shown or "Tokens" in shown
    assert "jemand anderes" in shown
    with pytest.raises(Forbidden):
        asking.release(made, stella)
    answer = other.get(page)
    assert 'value="release"' in answer.text
    asking.release(made, User.objects.get(username="bert"))
    assert not User.objects.filter(username="anna").exists()
    with pytest.raises(Conflict):
        asking.release(made, User.objects.get(username="bert"))
    assert "person:" in client.get(page).text
    assert [each.actor for each in AuditEntry.objects.filter(action="user.remove")] == ["user:bert"]


def test_somebody_without_an_account_asks_by_their_address() -> None:
    Message.objects.create(kind="fault", text="grey", email="carl@city.example")
    stella, client = steward("stella")
    form = {"kind": "access", "about": "Carl@city.example", "received": "2026-01-05", "note": NOTE}
    page = client.post("/office/persons/", form)["Location"]
    made = PersonRequest.objects.get()
    PersonsThread(open_profile, None).step()  # type: ignore[arg-type]
    made.refresh_from_db()
    assert made.found == {"messages": 1}
    answer = asking_file(client, page, stella)
    assert "carl@city.example" in json.loads(answer.read("data.json"))["messages"][0]["email"]
    made.refresh_from_db()
    assert (made.state, made.answered is not None) == (DONE, True)
    assert AuditEntry.objects.filter(action="person.fetch", actor="user:stella").exists()


def asking_file(client: Client, page: str, user: User) -> zipfile.ZipFile:
    """Fetched as after a fresh log-in."""
    user.set_password("a long word for all")
    user.save()
    client.login(username=user.username, password="a long word for all")
    client.post("/accounts/reauthenticate/", {"password": "a long word for all"})
    body = b"".join(client.get(f"{page}file/").streaming_content)  # type: ignore[attr-defined]
    return zipfile.ZipFile(io.BytesIO(body))


def test_what_is_declined_says_why_and_nothing_goes(anna: User) -> None:
    stella, _client = steward("stella")
    made = asking.write_down(stella, kind="erasure", about="anna", received=timezone.localdate(), note=NOTE)
    asking.decline(made, stella, "it was not this person who asked")
    made.refresh_from_db()
    assert made.answered is not None
    assert "not this person" in made.note
    assert User.objects.filter(username="anna").exists()


def test_one_fetches_ones_own_file_alone(anna: User) -> None:
    made = asking.ask_access(anna)
    PersonsThread(open_profile, None).step()  # type: ignore[arg-type]
    _user, other = steward("stella")
    assert other.get(f"/accounts/requests/{made.key}/").status_code in (302, 404)
    assert other.get(f"/office/persons/{made.pk}/file/").status_code in (302, 404)
    made.refresh_from_db()
    assert made.state == READY


def test_old_files_and_requests_go(anna: User, home: Path) -> None:
    import os

    made = asking.ask_access(anna)
    PersonsThread(open_profile, None).step()  # type: ignore[arg-type]
    assert parcels.prune() == 0
    os.utime(parcels.path_of(made), (0, 0))
    assert parcels.prune() == 1
    PersonRequest.objects.update(answered=timezone.now() - timedelta(days=4 * 366))
    assert PersonRequest.prune() == 1


def test_the_account_says_the_same_as_json(anna: User) -> None:
    told = everything(subject_of(anna))
    assert told["roles"][0]["role"] == "editor"  # type: ignore[index,call-overload]
    json.dumps(told)


@pytest.mark.parametrize(
    ("day", "due"),
    [
        ("2026-01-31", "2026-02-28"),
        ("2026-12-31", "2027-01-31"),
        ("2024-01-30", "2024-02-29"),
        ("2026-03-01", "2026-04-01"),
    ],
)
def test_a_month_ends_with_its_last_day(day: str, due: str) -> None:
    assert month_after(date.fromisoformat(day)) == date.fromisoformat(due)
