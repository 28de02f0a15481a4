"""What operators decide, on their pages: who may, what is written down, what everybody then sees."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from allmende.city.parking.models import Closure, Desk, Override
from allmende.city.parking.operating import paperwork
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.accounts.people import give_role
from allmende.web.house import open_profile
from tests.web.catalogue.conftest import house  # noqa: F401  a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.fixture
def site() -> str:
    """A car park of the city, which has no readings here."""
    found = next((thing.id for thing in open_profile().things if thing.kind == "car-park"), None)
    if found is None:
        pytest.skip("asks for a city with car parks")
    return found


def enter(role: str) -> Client:
    user = User.objects.create_user(username=f"some-{role}", password="a long enough password 17")
    give_role(user, role, actor="test")
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def soon(**delta: int) -> str:
    return (datetime.now(UTC) + timedelta(**(delta or {"hours": 5}))).strftime("%d.%m.%Y %H:%M")


def override(client: Client, site: str, seen: int | None = None, **said: Any) -> Any:
    told = {
        "status": "live",
        "free": "12",
        "until": soon(),
        "reason": "Loop is broken",
        "note": "gate 2, call 17",
        **said,
    }
    seen = paperwork.version_of(site) if seen is None else seen
    data = {f"override-{name}": value for name, value in {**told, "seen": seen}.items()}
    return client.post(f"/parking/operate/site/{site}/add/override", data)


def shown(site: str) -> dict[str, Any]:
    body = json.loads(Client(headers={"accept-language": "en"}).get("/parking/board.json").content)
    return next(park for park in body["carParks"] if park["id"] == site)


def test_only_who_may_sees_the_desk(site: str) -> None:
    assert Client().get("/parking/operate/").status_code == 302
    assert enter("contributor").get("/parking/operate/").status_code == 403
    assert "Operate parking" not in Client(headers={"accept-language": "en"}).get("/parking/").content.decode()
    editor = enter("editor")
    assert "Operate parking" in editor.get("/parking/").content.decode()
    page = editor.get(f"/parking/operate/site/{site}/").content.decode()
    assert "Set by hand" in page
    assert "What is said of it" in page
    # what lasts is a steward's
    data = {"lease-spaces": "1", "lease-kind": "leased", "lease-reason": "x", "lease-seen": "0"}
    assert editor.post(f"/parking/operate/site/{site}/add/lease", data).status_code == 403
    assert editor.get("/parking/operate/site/nowhere/").status_code == 404


def test_what_is_set_by_hand_is_shown_with_end_and_reason_until_it_is_ended(site: str) -> None:
    editor = enter("editor")
    assert override(editor, site).status_code == 302
    park = shown(site)
    assert (park["free"], park["status"], park["reason"], park["topic"]) == (12, "live", "override", "")
    assert "Loop is broken" in park["decided"]
    everybody = Client(headers={"accept-language": "en"})
    for path in ("/parking/", f"/parking/{site}/", "/parking/board.json", "/parking/map.json"):
        page = everybody.get(path).content.decode()
        assert "Loop is broken" in page, path
        assert "gate 2" not in page, path
        assert "some-editor" not in page, path
    made = Override.objects.get()
    ended = editor.post(
        f"/parking/operate/site/{site}/override/{made.pk}/end", {"seen": paperwork.version_of(site)}, follow=True
    )
    assert "The decision has ended." in ended.content.decode()
    assert shown(site)["reason"] != "override"
    assert Override.objects.count() == 1  # nothing is deleted
    told = list(AuditEntry.objects.filter(action__startswith="parking.").values_list("action", "actor"))
    assert sorted(told) == [("parking.end-override", "user:some-editor"), ("parking.override", "user:some-editor")]


def test_it_ends_by_itself(site: str) -> None:
    override(enter("editor"), site)
    now = datetime.now(UTC)
    assert [each.site for each in paperwork.current(now).overrides] == [site]
    assert paperwork.current(now + timedelta(hours=6)).overrides == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"free": ""}, "free"),
        ({"free": "9999999"}, "free"),
        ({"until": ""}, "until"),
        ({"until": soon(hours=-9)}, "until"),
        ({"until": soon(days=90)}, "until"),
    ],
)
def test_what_is_lacking_is_said_at_its_field(site: str, said: dict[str, str], field: str) -> None:
    answer = override(enter("editor"), site, **said)
    assert answer.status_code == 422
    assert f'id="error-override-{field}"' in answer.content.decode()
    assert not Override.objects.exists()


@pytest.mark.parametrize("said", [{"start": "0001-01-01T00:00"}, {"seen": str(2**63 - 1)}])
def test_what_no_calendar_and_no_database_knows_is_refused(site: str, said: dict[str, str]) -> None:
    told = {"reason": "x", "seen": "0", **said}
    answer = enter("editor").post(
        f"/parking/operate/site/{site}/add/closure", {f"closure-{name}": value for name, value in told.items()}
    )
    assert answer.status_code == 422
    assert ("start" not in said) or 'id="error-closure-start"' in answer.content.decode()
    assert not Closure.objects.exists()


def test_of_two_operators_the_second_is_told(site: str) -> None:
    editor = enter("editor")
    assert override(editor, site, seen=0).status_code == 302
    answer = override(editor, site, seen=0, free="40")
    assert answer.status_code == 409
    assert "Somebody else has changed" in answer.content.decode()
    assert [each.free for each in Override.objects.all()] == [12]
    assert override(editor, site, free="40").status_code == 302  # having looked, it takes the place of the first
    assert shown(site)["free"] == 40
    assert Override.objects.filter(ended__isnull=True).count() == 1
    assert Desk.objects.get(pk=site).version == 2


def test_leases_choices_and_a_closed_part_change_what_is_there(site: str) -> None:
    steward = enter("steward")

    def post(paper: str, **said: str) -> int:
        told = {**said, "reason": "contract 5", "seen": str(paperwork.version_of(site))}
        data = {f"{paper}-{name}": value for name, value in told.items()}
        return steward.post(f"/parking/operate/site/{site}/add/{paper}", data).status_code

    whole = shown(site)["capacity"]
    assert post("lease", spaces="3", kind="leased") == 302
    assert shown(site)["capacity"] == whole - 3
    assert post("closure", spaces="2", text="Deck 1 is painted") == 302
    assert shown(site)["capacity"] == whole - 5
    assert "2 spaces are closed" in shown(site)["decided"]
    assert post("closure", text="Flood") == 302
    assert (shown(site)["status"], shown(site)["reason"]) == ("closed", "closure")
    assert "contract 5" not in Client().get(f"/parking/{site}/").content.decode()
    assert post("choice", fact="capacity", statement="99") == 409
    assert post("choice", fact="capacity", statement="0") == 302
    page = steward.get(f"/parking/operate/site/{site}/").content.decode()
    assert "contract 5" in page
    assert "some-steward" in page
    assert Closure.objects.count() == 2


def test_events_stand_on_the_pages_of_their_car_parks_while_they_last(site: str) -> None:
    editor = enter("editor")
    data = {"event-name": "Fair", "event-until": soon(), "event-effect": "Full by noon", "event-seen": "0"}
    assert editor.post("/parking/operate/events/", data).status_code == 422
    assert editor.post("/parking/operate/events/", {**data, "event-sites": [site]}).status_code == 302
    assert "Full by noon" in Client().get(f"/parking/{site}/").content.decode()
    assert paperwork.events_at(datetime.now(UTC) + timedelta(days=1)) == ()
