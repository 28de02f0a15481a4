"""Signs in a house: decided and kept, told to the commons, fed to controllers, operated by people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import translation
from lxml import etree

from allmende.city.parking.models import Event
from allmende.city.parking.signs import keeping, rules, views, vms
from allmende.city.parking.signs.file import signs_of
from allmende.city.parking.signs.model import Page
from allmende.city.parking.signs.models import SignKept, SignMessage
from allmende.city.parking.sites import Site
from allmende.city.parking.standing import SiteState
from allmende.domain.policy import ANONYMOUS
from allmende.domain.query import Query
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.accounts.people import give_role
from allmende.web.house import furnish, house_for_job, open_profile, open_store
from allmende.web.profiles import available_profiles
from tests.web.office import living_in

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """The example's house, with so many free spaces in each of its two car parks."""
    free = {"parking-altmarkt": 57, "parking-hafen": 3}

    def states(house: Any, now: datetime) -> tuple[SiteState, ...]:
        return tuple(
            SiteState(
                site=Site(id=name, name=name, kind="car-park", stands_for=name),
                now=now,
                status="live",
                free=count,
                capacity=120,
                confirmed_at=now - MINUTE,
                simulated=True,
            )
            for name, count in free.items()
        )

    monkeypatch.setattr(keeping, "states_now", states)
    # the language of the last page is not left to the tests behind
    with living_in(available_profiles()["example"].parent, settings), translation.override(translation.get_language()):
        furnish(open_store(), open_profile())
        yield free


def decide() -> None:
    keeping.run(house_for_job("parking/signs"))


def told() -> list[Any]:
    page = open_store().find(Query(entity="Observation", reader=ANONYMOUS, select=("result",)))
    return [row[-1] for row in page.rows]


@pytest.fixture
def operator(free: Any) -> Client:
    anna = User.objects.create_user("anna")
    give_role(anna, "editor", actor="test")
    client = Client(headers={"accept-language": "en"})
    client.force_login(anna)
    return client


def test_what_is_decided_is_kept_and_told_once(free: Any) -> None:
    decide()
    assert {row.display for row in SignKept.objects.all()} == {"mast-1-a", "mast-1-b", "mast-2-a", "mast-2-b"}
    assert len(told()) == 4
    decide()
    assert len(told()) == 4
    free["parking-altmarkt"] = 0
    SignKept.objects.filter(display="mast-1-b").update(shown="{}")
    decide()
    shown = keeping.kept(["mast-1-a", "mast-1-b", "mast-2-a"])
    assert [shown[name].number for name in shown] == [55, 3, 60]
    assert {why.code for why in shown["mast-1-a"].why} >= {"at-most-full", "held"}
    assert Client().get("/parking/signs/mast-1-a/").status_code == 200


def test_a_display_that_is_gone_is_forgotten(free: Any) -> None:
    SignKept.objects.create(display="gone", shown="{}")
    decide()
    assert not SignKept.objects.filter(display="gone").exists()


def test_a_feed_says_304_until_something_is_another(free: Any) -> None:
    client = Client()
    before = client.get("/parking/signs/mast-1-a/feed")
    assert before.json()["state"] == "unknown"
    decide()
    first = client.get("/parking/signs/mast-1-a/feed")
    said = first.json()
    assert (said["state"], said["number"], said["pages"][0]["rows"]) == ("free", 55, ["  55"])
    assert said["fallback"]["pages"][0]["rows"] == ["   –"]
    assert said["simulated"] is True
    assert datetime.fromisoformat(said["validUntil"]) > datetime.now(UTC)
    assert "no-cache" in first["Cache-Control"]
    decide()
    again = client.get("/parking/signs/mast-1-a/feed", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    text = client.get("/parking/signs/mast-1-a/feed.txt")
    assert text.text.splitlines()[1:] == ["page 4", "|  55", "fallback 4", "|   –"]
    assert client.get("/parking/signs/no-sign/feed").status_code == 404


def test_all_signs_are_told_as_datex(free: Any) -> None:
    decide()
    row = SignKept.objects.get(display="mast-2-a")
    kept = keeping.kept(["mast-2-a"])["mast-2-a"]
    turns = msgspec.structs.replace(kept, pages=(Page(("P+R", "nutzen"), "de"), *kept.pages))
    SignKept.objects.filter(pk=row.pk).update(shown=msgspec.json.encode(turns).decode())
    client = Client()
    answer = client.get("/parking/api/datex2/v3/signs.xml")
    root = etree.fromstring(answer.content)
    names = {"vms": vms.VMS, "com": "http://datex2.eu/schema/3/common"}
    assert root.findtext("vms:headerInformation/com:informationStatus", namespaces=names) == "test"
    lines = [line.text for line in root.iterfind(".//vms:textLine/vms:textLine/vms:textLine", names)]
    assert lines == ["  55", "   3", "P+R", "nutzen", "Stadt ↑", "60".rjust(16), "frei"]
    assert [each.get("pageNumber") for each in root.iterfind(".//*[@pageNumber]")] == ["1", "2"]
    same = client.get("/parking/api/datex2/v3/signs.xml", headers={"if-none-match": answer["ETag"]})
    assert same.status_code == 304
    listed = etree.fromstring(client.get("/parking/api/datex2/v3/signs-table.xml").content)
    versions = {each.get("id"): each.get("version") for each in listed.iterfind(".//vms:vmsController", names)}
    told = root.iterfind(".//vms:vmsControllerReference", names)
    assert {each.get("id"): each.get("version") for each in told} == versions


def test_a_closed_feed_and_a_report_want_the_token_of_that_very_sign(
    free: Any, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide()
    page = operator.post("/parking/signs/mast-1-a/token")
    token = page.text.split('<code class="sign-token">')[1].split("</code>")[0]
    with_token = {"x-sign-token": token}
    closed = msgspec.structs.replace(signs_of(open_profile()), open_feeds=False)
    monkeypatch.setattr(views, "signs_of", lambda profile: closed)
    client = Client(enforce_csrf_checks=True)
    assert client.get("/parking/signs/mast-1-a/feed").status_code == 403
    assert client.get("/parking/signs/mast-1-a/feed", headers=with_token).status_code == 200
    assert client.get("/parking/signs/mast-1-b/feed", headers=with_token).status_code == 403

    def report(sign: str, body: str) -> Any:
        return client.post(f"/parking/signs/{sign}/report", body, content_type="application/json", headers=with_token)

    kept = keeping.kept(["mast-1-a"])["mast-1-a"]
    early = msgspec.structs.replace(kept, since=kept.since - 5 * MINUTE)
    SignKept.objects.filter(display="mast-1-a").update(shown=msgspec.json.encode(early).decode())
    assert report("mast-1-b", "{}").status_code == 403
    assert report("mast-1-a", "[]").status_code == 400
    assert report("mast-1-a", " " * 20_001).status_code == 413
    assert report("mast-1-a", '{"rows":["55"]}').json() == {"differs": False}
    assert report("mast-1-a", '{"rows":["70"],"faults":["lamp"]}').json() == {"differs": True}
    assert report("mast-1-a", '{"rows":["70"],"faults":["lamp"]}').json() == {"differs": True}
    desk = operator.get("/parking/signs/operate/").text
    assert "reports something else, lamp" in desk
    assert "something else than it should since" in operator.get("/parking/signs/mast-1-a/").text
    # what it says is a reading of the commons, beside what it should show; said again it is none
    given = {
        name: open_store().points(ANONYMOUS, f"parking-sign-mast-1-a~{name}", 0, 2**60).results
        for name in ("reported", "differs", "faults")
    }
    assert [(each["rows"], each["faults"]) for each in given["reported"]] == [(["55"], []), (["70"], ["lamp"])]
    assert (given["differs"], given["faults"]) == ([False, True], [0, 1])
    sensor = open_store().find(Query(entity="Sensor", reader=ANONYMOUS, select=("name",), top=100))
    assert "parking-sign-controller-mast-1-a" in {str(row[1]) for row in sensor.rows}
    assert AuditEntry.objects.filter(action="parking.sign-token", object="sign:mast-1-a").exists()


def test_an_operator_puts_a_text_on_a_sign_and_takes_it_back(free: Any, operator: Client) -> None:
    decide()
    said = {
        "sign": "mast-2-a",
        "kind": "text",
        "de": "Volksfest\r\nP+R nutzen",
        "en": "Funfair\r\nUse P+R",
        "rank": "notice",
        "until": (datetime.now(UTC) + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M"),
        "reason": "Volksfest",
    }
    assert operator.post("/parking/signs/operate/", said).status_code == 302
    shown = keeping.kept(["mast-2-a"])["mast-2-a"]
    assert (shown.state, shown.pages[0].rows, shown.pages[1].rows) == (
        "text",
        ("Volksfest", "P+R nutzen"),
        ("Funfair", "Use P+R"),
    )
    assert "Volksfest" in Client().get("/parking/signs/?state=text").text
    row = SignMessage.objects.get()
    assert operator.post(f"/parking/signs/operate/{row.pk}/end").status_code == 302
    assert keeping.kept(["mast-2-a"])["mast-2-a"].state == "free"
    actions = list(AuditEntry.objects.filter(action__startswith="parking.sign").values_list("action", "actor"))
    assert sorted(actions) == [("parking.sign-end", "user:anna"), ("parking.sign-text", "user:anna")]


def test_a_text_may_begin_later_and_is_seen_before_it_is_written_down(free: Any, operator: Client) -> None:
    decide()
    begin, end = (datetime.now(UTC) + timedelta(days=days) for days in (2, 3))
    said = {"sign": "mast-2-a", "kind": "text", "de": "Volksfest", "rank": "notice", "reason": "Volksfest"}
    said |= {"start": f"{begin:%Y-%m-%dT%H:%M}", "until": f"{end:%Y-%m-%dT%H:%M}"}
    looked = operator.post("/parking/signs/operate/", {**said, "preview": "1"})
    assert looked.status_code == 200
    assert 'Simulated view: Volksfest"' in looked.text
    assert not SignMessage.objects.exists()
    assert operator.post("/parking/signs/operate/", said).status_code == 302
    assert keeping.kept(["mast-2-a"])["mast-2-a"].state == "free"
    assert "not yet" in operator.get("/parking/signs/operate/").text
    (message,) = keeping.written(datetime.now(UTC)).values()
    display = signs_of(open_profile()).displays["mast-2-a"]
    shown = [rules.decide(display, None, (), [message], at).state for at in (begin, end)]
    assert shown == ["text", "unknown"]


def test_an_event_stands_on_the_signs_of_its_sites_while_it_lasts(free: Any, operator: Client) -> None:
    decide()
    begin = datetime.now(UTC) - timedelta(hours=1)
    end = begin + timedelta(hours=3)
    said = {"event-name": "Ein Fest mit einem sehr langen Namen", "event-sites": ["parking-altmarkt"]}
    said |= {"event-start": f"{begin:%Y-%m-%dT%H:%M}", "event-until": f"{end:%Y-%m-%dT%H:%M}", "event-seen": "0"}
    said |= {"event-on_signs": "1"}
    looked = operator.post("/parking/operate/events/", {**said, "preview": "1"})
    assert "No room for it" in looked.text
    said |= {"event-sign_de": "Stadtfest bitte P+R nutzen", "event-sign_en": "Funfair: use P+R"}
    looked = operator.post("/parking/operate/events/", {**said, "preview": "1"})
    assert "Stadtfest bitte / P+R nutzen" in looked.text
    assert not Event.objects.exists()
    assert operator.post("/parking/operate/events/", said).status_code == 302
    decide()
    shown = keeping.kept(["mast-1-a", "mast-1-b", "mast-2-a"])
    pages = [[" ".join(" ".join(page.rows).split()) for page in each.pages] for each in shown.values()]
    # in turns with the number; what has no room for it goes on; what shows another car park is left alone
    assert pages == [["55"], ["3"], ["Stadtfest bitte P+R nutzen", "Funfair: use P+R", "Stadt ↑ 60"]]
    assert [why.code for why in shown["mast-2-a"].why][:2] == ["message", "in-turns"]
    assert operator.post(f"/parking/operate/events/{Event.objects.get().pk}/end", {"seen": "1"}).status_code == 302
    decide()
    assert len(keeping.kept(["mast-2-a"])["mast-2-a"].pages) == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sign": "mast-1-a"}, "mast-1-a has 1"),
        ({"de": "Ein viel zu langer Text"}, "has room for 16"),
        ({"de": "漢字"}, "cannot write"),
        ({"en": "a\0b"}, 'id="error-en"'),
        ({"de": "", "en": ""}, "Write a text"),
        ({"sign": ""}, "Choose one sign"),
        ({"until": "2020-01-01T10:00"}, "has to be in the future"),
        ({"until": "2099-01-01T10:00"}, "days ahead at the most"),
        ({"reason": " "}, "required"),
    ],
)
def test_what_does_not_fit_changes_nothing_and_is_told(
    changed: dict[str, str], words: str, free: Any, operator: Client
) -> None:
    said = {"sign": "mast-2-a", "kind": "text", "de": "Eins\nZwei", "rank": "notice", "reason": "x"}
    said["until"] = (datetime.now(UTC) + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")
    answer = operator.post("/parking/signs/operate/", {**said, **changed})
    assert answer.status_code == 400
    assert words in answer.text
    assert not SignMessage.objects.exists()


def test_who_may_not_operate_does_not(free: Any) -> None:
    for path in ("operate/", "operate/1/end", "mast-1-a/token"):
        assert Client().post(f"/parking/signs/{path}").status_code == 302
    berta = Client()
    berta.force_login(User.objects.create_user("berta"))
    assert berta.get("/parking/signs/operate/").status_code == 403
    assert "Make a token" not in berta.get("/parking/signs/mast-1-a/", headers={"accept-language": "en"}).text
