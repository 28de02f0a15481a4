"""A source made in the browser: brought, recognised, corrected, looked at, proposed, released by another, taken in."""

import ast
import io
import threading
from pathlib import Path

import msgspec
import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.web.office import living_in, make_town
from tests.web.servers import serving

from allmende.domain.recognition.model import Words
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.config import Config
from allmende.web.house import open_sources, open_store
from allmende.web.intake import Intake
from allmende.web.making import looking, uploads, words
from allmende.web.making.importing import ImportsThread
from allmende.web.making.models import DONE, FAILED, PROPOSED, Making
from allmende.web.office import revisions

pytestmark = pytest.mark.django_db
NEW = "/office/sources/new/"
SRC = Path(__file__).resolve().parents[2] / "src" / "allmende"
DOCS = Path(__file__).resolve().parents[2] / "docs"
CSV = (
    "Zeit;Messstelle;Temperatur (°C);x;y\n"
    "01.03.2026 10:00;Nord;1,5;0,5;0,5\n"
    "01.03.2026 11:00;Nord;2,5;0,5;0,5\n"
    "01.03.2026 10:00;Süd;3,5;0,25;0,5\n"
    "01.03.2026 12:00;Süd;4,5;0,25;0,5\n"
    "01.03.2026 11:00;Süd;kaputt;0,25;0,5\n"
).encode()
ABOUT = {
    "id": "klima",
    "title_de": "Klima",
    "title_en": "Climate",
    "dataset": "",
    "new_id": "klima",
    "new_publisher": "Town",
    "new_licence": "CC0-1.0",
}


@pytest.fixture
def town(tmp_path, settings):
    home = tmp_path / "home"
    home.mkdir()
    with living_in(make_town(tmp_path / "town"), settings, home=home):
        yield settings


def client_of(name: str, language: str = "de") -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(User.objects.create_superuser(name))
    return client


@pytest.fixture
def anna(town) -> Client:
    return client_of("anna")


def bring(client: Client, body: bytes = CSV, name: str = "klima.csv") -> Making:
    answer = client.post(NEW, {"file": SimpleUploadedFile(name, body), "address": ""})
    assert answer.status_code == 302, answer.content.decode()
    return Making.objects.get()


def test_only_those_who_edit_sources_come_here(town):
    assert Client().get(NEW).status_code == 302
    otto = Client()
    otto.force_login(User.objects.create_user("otto"))
    assert otto.get(NEW).status_code == 403
    assert otto.post(NEW, {"address": "https://example.org/x"}).status_code == 403


def test_nobody_sees_what_somebody_else_began(anna):
    making = bring(anna)
    bert = client_of("bert")
    for path in ("", "preview/", "finish/", "state/", "found.json"):
        assert bert.get(f"{NEW}{making.key}/{path}").status_code == 404
    assert bert.post(f"{NEW}{making.key}/drop/").status_code == 404
    assert making.name not in bert.get(NEW).content.decode()
    assert making.name in anna.get(NEW).content.decode()


def test_the_whole_way_of_a_file(anna, town):
    making = bring(anna)
    text = anna.get(f"{NEW}{making.key}/").content.decode()
    assert "Temperatur (°C)" in text
    assert "sicher: Zahlen; der Name ist bekannt." in text
    answer = anna.post(f"{NEW}{making.key}/", {"title-2": "Luft", "about": "1", "next": "1", **ABOUT})
    assert answer["Location"] == f"{NEW}{making.key}/preview/"
    text = anna.get(f"{NEW}{making.key}/preview/").content.decode()
    assert "kaputt" in text
    assert "Luft (Cel): 2 Messwerte" in text
    found = anna.get(f"{NEW}{making.key}/found.json").json()
    assert {each["properties"]["name"] for each in found["features"]} == {"Nord", "Süd"}
    assert open_store().sources() == {}  # nothing is stored
    answer = anna.post(f"{NEW}{making.key}/finish/", {"mode": "once", "reason": "neu"})
    assert answer["Location"] == f"{NEW}{making.key}/state/"
    making.refresh_from_db()
    assert making.state == PROPOSED
    assert "wartet" in anna.get(f"{NEW}{making.key}/state/").content.decode()
    # it does not come in before somebody else has released it
    imports = ImportsThread(Intake(open_store(), None, town.ALLMENDE, follow=open_sources), threading.Event())
    assert imports.look() == 0
    draft = revisions.open_revision("source", "klima")
    bert = User.objects.create_superuser("bert")
    assert {each.kind for each in revisions.release(draft, by=bert, seen=draft.turn)} == {"dataset", "source"}
    assert imports.look() == 1
    making.refresh_from_db()
    assert (making.state, making.report["accepted"], making.report["rejected"]) == (DONE, 4, 1)
    assert not uploads.path_of(making).exists()
    assert open_store().sources()["klima"].accepted == 4
    body = revisions.current("source", "klima")
    assert body["settings"]["properties"] == {"air-temperature": {"name": "Luft", "unit": "Cel"}}
    text = anna.get(f"{NEW}{making.key}/state/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert imports.look() == 0
    deeds = list(AuditEntry.objects.order_by("id").values_list("actor", "action"))
    assert ("user:anna", "making.begin") in deeds
    assert ("house:worker", "making.import") in deeds


def test_what_is_wrong_is_said_and_what_was_typed_stays(anna):
    making = bring(anna)
    page = f"{NEW}{making.key}/"
    answer = anna.post(page, {"unit-2": "Blumen", "about": "1", **ABOUT})
    assert answer.status_code == 422
    assert "Blumen ist keine Einheit" in answer.content.decode()
    assert 'value="Blumen"' in answer.content.decode()
    answer = anna.post(page, {"unit-2": "°C", "about": "1", **ABOUT, "id": "Klima!"})
    assert answer.status_code == 422
    making.refresh_from_db()
    assert making.plan.columns[2].unit == "Cel"
    answer = anna.post(page, {"about": "1", **ABOUT, "new_publisher": ""})
    assert answer.status_code == 422
    answer = anna.post(page, {"meaning-0": "leave", "about": "1", **ABOUT})
    assert "Keine Spalte ist die Zeit" in answer.content.decode()
    assert anna.get(f"{page}preview/").status_code == 422
    assert anna.post(page, {"meaning-0": "nonsense", **ABOUT}).status_code == 422


def test_a_source_that_is_there_is_not_written_over(anna):
    making = bring(anna)
    answer = anna.post(f"{NEW}{making.key}/", {"about": "1", **ABOUT, "id": "feed", "dataset": "counts"})
    assert answer.status_code == 302
    answer = anna.post(f"{NEW}{making.key}/finish/", {"mode": "once"})
    assert answer.status_code == 422
    assert revisions.open_revision("source", "feed") is None


def test_rows_may_be_objects_instead(anna):
    making = bring(anna, b"nr;Zeit;x;y\n1;2026-03-01T10:00Z;0.5;0.5\n2;2026-03-01T11:00Z;0.25;0.5\n")
    page = f"{NEW}{making.key}/"
    making.refresh_from_db()
    assert making.plan.shape == "objects"
    anna.post(page, {"shape": "readings"})
    making.refresh_from_db()
    assert making.plan.shape == "readings"
    anna.post(page, {"shape": "objects"})
    answer = anna.post(
        page, {"meaning-0": "id", "meaning-2": "x", "meaning-3": "y", "next": "1", "about": "1", **ABOUT}
    )
    assert answer.status_code == 302, answer.content.decode()
    assert len(anna.get(f"{page}found.json").json()["features"]) == 2
    assert "Objekte" in anna.get(f"{page}preview/").content.decode()


def test_a_proposal_that_was_given_back_can_be_changed_and_proposed_again(anna):
    making = bring(anna)
    anna.post(f"{NEW}{making.key}/", {"about": "1", **ABOUT})
    anna.post(f"{NEW}{making.key}/finish/", {"mode": "once"})
    bert = User.objects.create_superuser("bert")
    draft = revisions.open_revision("source", "klima")
    revisions.decline(draft, by=bert, seen=draft.turn, answer="Bitte den Titel ändern")
    assert "Bitte den Titel" in anna.get(f"{NEW}{making.key}/state/").content.decode()
    anna.post(f"{NEW}{making.key}/", {"about": "1", **ABOUT, "title_de": "Stadtklima"})
    answer = anna.post(f"{NEW}{making.key}/finish/", {"mode": "once"})
    assert answer.status_code == 302, answer.content.decode()
    assert revisions.open_revision("source", "klima").body["title"]["de"] == "Stadtklima"


def test_an_address_becomes_a_source_that_is_asked(anna, town):
    town.ALLMENDE = msgspec.structs.replace(town.ALLMENDE, private_addresses=True)
    with serving() as server:
        server.body = CSV
        assert anna.post(NEW, {"address": server.url("good")}).status_code == 302
        making = Making.objects.get()
        anna.post(f"{NEW}{making.key}/", {"about": "1", **ABOUT})
        answer = anna.post(f"{NEW}{making.key}/finish/", {"mode": "schedule", "interval": "PT1S"})
        assert answer.status_code == 422
        answer = anna.post(f"{NEW}{making.key}/finish/", {"mode": "schedule", "interval": "PT15M"})
        assert answer.status_code == 302, answer.content.decode()
    body = revisions.open_revision("source", "klima").body
    assert (body["address"], body["interval"]) == (server.url("good"), "PT15M")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftp://example.org/x", "http://"),
        ("https://anna:secret@example.org/x", "no name and no password"),
        ("https://example.org/${SOURCE_TOKEN}", "names no variables"),
        ("http://localhost:1/x", "no public address"),
        ("http://127.0.0.1:1/x", "no public address"),
        ("http://[::1]:1/x", "no public address"),
        ("http://169.254.169.254/latest/meta-data", "no public address"),
        ("http://0x7f000001:1/", "no public address"),
    ],
)
def test_no_way_into_the_house(anna, address, words):
    answer = anna.post(NEW, {"address": address})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Making.objects.exists()


def test_a_source_of_an_editor_is_not_asked_within_the_house(anna, town, monkeypatch):
    monkeypatch.setattr(looking, "keep_download", lambda making: uploads._keep(making, lambda file: file.write(CSV)))
    assert anna.post(NEW, {"address": "https://example.org/klima.csv"}).status_code == 302
    making = Making.objects.get()
    anna.post(f"{NEW}{making.key}/", {"about": "1", **ABOUT})
    anna.post(f"{NEW}{making.key}/finish/", {"mode": "schedule", "interval": "PT15M"})
    assert revisions.open_revision("source", "klima").body["settings"]["public_only"] is True


def test_one_of_several_is_chosen(anna):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Hinweise"])
    sheet = book.create_sheet("Werte")
    for row in (["time", "Temperatur"], ["2026-03-01T10:00:00Z", 1.5], ["2026-03-01T11:00:00Z", 2.5]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    making = bring(anna, out.getvalue(), "x.xlsx")
    assert "Werte" in anna.get(f"{NEW}{making.key}/").content.decode()
    assert anna.post(f"{NEW}{making.key}/choose/", {"choice": "Werte"}).status_code == 302
    making.refresh_from_db()
    assert making.plan.base["sheet"] == "Werte"
    assert anna.post(f"{NEW}{making.key}/choose/", {"choice": "nowhere"}).status_code == 404
    assert "2 Messwerte" in anna.get(f"{NEW}{making.key}/preview/").content.decode()


def test_what_nothing_reads_says_why_and_goes_no_further(anna):
    making = bring(anna, b"%PDF-1.7 x", "x.pdf")
    text = anna.get(f"{NEW}{making.key}/").content.decode()
    assert "PDF werden nicht gelesen" in text
    assert 'name="next"' not in text
    assert anna.get(f"{NEW}{making.key}/finish/").status_code == 302


def test_what_no_database_keeps_as_text_does_not_stop_it(anna):
    making = bring(anna, b'[{"id": "a\\u0000b", "x": 0.5, "y": 0.5}, {"id": "c", "x": 0.25, "y": 0.5}]', "x.json")
    assert "\x00" not in str(making.found)
    assert anna.get(f"{NEW}{making.key}/").status_code == 200
    assert anna.get(f"{NEW}{making.key}/preview/").status_code == 200


def test_limits_are_told(anna, town):
    town.ALLMENDE = msgspec.structs.replace(town.ALLMENDE, making_bytes=1024, making_most=1)
    answer = anna.post(NEW, {"file": SimpleUploadedFile("x.csv", b"a;b\n" * 1000)})
    assert answer.status_code == 422
    assert not list(uploads.folder().iterdir())
    bring(anna)
    assert anna.post(NEW, {"file": SimpleUploadedFile("x.csv", CSV)}).status_code == 422
    assert anna.post(NEW, {}).status_code == 422


def test_a_larger_file_may_be_brought_here_by_those_who_have_logged_in(anna, town):
    town.ALLMENDE = msgspec.structs.replace(town.ALLMENDE, upload_bytes=1024)
    assert Client().post(NEW, {"file": SimpleUploadedFile("x.csv", CSV * 20)}).status_code == 413
    assert anna.post(NEW, {"file": SimpleUploadedFile("x.csv", CSV * 20)}).status_code == 302


def test_a_large_file_is_not_held_in_memory():
    assert "django.core.files.uploadhandler.TemporaryFileUploadHandler" in django_settings.FILE_UPLOAD_HANDLERS
    assert django_settings.FILE_UPLOAD_MAX_MEMORY_SIZE <= 2 * 1024 * 1024


def test_what_is_over_goes_with_its_file(anna, town):
    making = bring(anna)
    assert uploads.prune() == 0
    town.ALLMENDE = msgspec.structs.replace(town.ALLMENDE, making_days=0.0)
    assert uploads.prune() == 1
    assert not uploads.path_of(making).exists()
    assert not Making.objects.exists()


def test_it_can_be_given_up_at_once(anna):
    making = bring(anna)
    assert anna.post(f"{NEW}{making.key}/drop/").status_code == 302
    assert not uploads.path_of(making).exists()


def test_an_import_without_its_file_is_told(anna, town):
    making = bring(anna)
    anna.post(f"{NEW}{making.key}/", {"about": "1", **ABOUT})
    anna.post(f"{NEW}{making.key}/finish/", {"mode": "once"})
    draft = revisions.open_revision("source", "klima")
    revisions.release(draft, by=User.objects.create_superuser("bert"), seen=draft.turn)
    uploads.drop(making)
    ImportsThread(Intake(open_store(), None, town.ALLMENDE, follow=open_sources), threading.Event()).look()
    making.refresh_from_db()
    assert making.state == FAILED
    assert "bring it again" in making.report["error"]


def test_every_sentence_of_the_recognition_is_in_the_catalogue():
    """A sentence that is made of words stands in ``words.SENTENCES``, from which translators get it."""
    missing = []
    for folder in ("domain/recognition", "connectors/recognition"):
        for path in (SRC / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Words" and node.args:
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and first.value and first.value not in words.SENTENCES:
                        missing.append(first.value)
    assert missing == []


def test_sentences_are_said_with_their_figures():
    assert words.say(Words("The name says %(written)s.", {"written": "°C"})) == "Der Name sagt °C."
    assert words.say(Words("")) == ""


def test_personal_data_stands_in_the_docs():
    text = (DOCS / "reference" / "personal-data.md").read_text("utf-8")
    for field in ("user", "name", "address"):
        assert Making._meta.get_field(field)
        assert f"``{field}``" in Making.__doc__
    assert "ALLMENDE_MAKING_DAYS" in text
    assert Config().making_days == 14.0
