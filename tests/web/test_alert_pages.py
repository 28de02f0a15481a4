"""The pages, links and feeds of alerts: who sees what, and that nothing is changed by looking."""

import re
from typing import Any

import pytest
from django.test import Client
from lxml import etree
from tests.knowledge.town import NOW
from tests.web.office import living_in, make_town, with_role
from tests.web.test_alerts import ALERTS, Town

from allmende.domain.boards import Tile
from allmende.domain.policy import house_reader
from allmende.domain.profile_checks import ProfileError
from allmende.domain.times import MINUTE
from allmende.web.accounts.models import AuditEntry, Membership, User
from allmende.web.alerts.cap import NAMESPACE
from allmende.web.alerts.links import link_to_acknowledge
from allmende.web.alerts.models import Event, Message, Silence
from allmende.web.boards.kinds import find
from allmende.web.config import Config
from allmende.web.house import House, open_profile, open_store
from allmende.web.live import live
from allmende.web.office import revisions

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    advice = {"de": "Meiden Sie das Ufer.", "en": "Keep off.", "plain": "Gehen Sie nicht ans Wasser."}
    said = ", ".join(f'{key} = "{text}"' for key, text in advice.items())
    made = Town(
        open_store(), ALERTS.replace("public = true\nseverity", f"advice = {{ {said} }}\npublic = true\nseverity")
    )
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: made.profile)
    made.read(160, place=(11.6, 50.9), unit="cm")
    made.read(999, "s~inner", observed="inner", dataset="hidden")
    return made


def clerk(role: str = "editor") -> Client:
    user = with_role("anna", role)
    if role != "administrator":
        Membership.objects.create(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def path_of(config: Config, event: Event, channel: str = "duty") -> str:
    return "/" + link_to_acknowledge(config, event.id, channel).split("/", 3)[3]


def test_everybody_sees_what_is_public_and_why(town: Town) -> None:
    event = Event.objects.get(alert="high")
    listed = Client().get("/alerts/", headers={"accept-language": "de"}).content.decode()
    assert "Hochwasser: a" in listed
    assert "Ernste Warnung" in listed
    assert "Innen" not in listed
    page = Client().get(f"/alerts/{event.id}/", headers={"accept-language": "de"}).content.decode()
    for words in ("160 cm", "level &gt; 150", "Meiden Sie das Ufer.", event.edition, "(50,9000, 11,6000)"):
        assert words in page
    assert "duty" not in page
    inner = Event.objects.get(alert="inner")
    assert Client().get(f"/alerts/{inner.id}/").status_code == 404
    assert Client().get(f"/alerts/cap/{inner.id}.xml").status_code == 404


def test_a_link_is_looked_at_without_consequences_and_acknowledges_once(town: Town) -> None:
    event = Event.objects.get(alert="high")
    address = path_of(Config(), event)
    client = Client()
    assert client.get(address).status_code == 200
    assert client.head(address).status_code == 200
    event.refresh_from_db()
    assert event.acknowledged_at is None
    assert client.post(address).status_code == 302
    event.refresh_from_db()
    assert event.acknowledged_how == "duty"
    first = event.acknowledged_at
    assert client.post(address).status_code == 302
    event.refresh_from_db()
    assert event.acknowledged_at == first
    assert (
        AuditEntry.objects.filter(action="alert.acknowledged").values_list("actor", flat=True).get() == "channel:duty"
    )
    wrong = address[:-3] + ("aa/" if not address.endswith("aa/") else "bb/")
    assert client.get(wrong).status_code == 410
    assert client.post(wrong).status_code == 410


def test_the_desk_is_for_those_who_may(town: Town) -> None:
    event = Event.objects.get(alert="high")
    for address in ("/office/alerts/", "/office/alerts/deliveries/", "/office/alerts/past/high/"):
        assert Client().get(address).status_code == 302
    assert Client().post(f"/office/alerts/{event.id}/acknowledge/").status_code == 302
    event.refresh_from_db()
    assert event.acknowledged_at is None
    client = clerk()
    page = client.get("/office/alerts/", headers={"accept-language": "en"}).content.decode()
    assert "High water: a" in page
    assert "Inside" not in page  # it is on data that she may not read
    client.post(f"/office/alerts/{event.id}/acknowledge/")
    event.refresh_from_db()
    assert event.acknowledged_by == User.objects.get(username="anna")
    inner = Event.objects.get(alert="inner")
    assert client.post(f"/office/alerts/{inner.id}/acknowledge/").status_code == 404
    told = client.get("/office/alerts/deliveries/").content.decode()
    assert told.count("High water: a") + told.count("Hochwasser: a") == 2


def test_silencing_asks_why_and_hides_what_lasts(town: Town) -> None:
    client = clerk()
    assert client.post("/office/alerts/silence/", {"alert": "high", "hours": "8", "reason": ""}).status_code == 422
    assert (
        client.post("/office/alerts/silence/", {"alert": "inner", "hours": "8", "reason": "works"}).status_code == 422
    )
    client.post("/office/alerts/silence/", {"alert": "high", "hours": "8", "reason": "The gauge is mended"})
    assert "Hochwasser" not in Client().get("/alerts/", headers={"accept-language": "de"}).content.decode()
    assert not Message.objects.filter(event__alert="high", given_up__isnull=True).exists()
    silence = Silence.objects.get()
    client.post(f"/office/alerts/silences/{silence.pk}/end/")
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"alert.silenced", "alert.silence-ended"} <= actions


def test_what_an_alert_would_have_done_is_tried_out(town: Town, monkeypatch: Any) -> None:
    for minute, level in enumerate((10, 170, 180, 20, 190, 30), start=1):
        town.clock.now = NOW + minute * MINUTE
        town.read(level, "b~level")

    class Now:
        @staticmethod
        def now(zone: Any) -> Any:
            from allmende.domain.times import to_datetime

            return to_datetime(NOW + 10 * MINUTE)

    monkeypatch.setattr("allmende.web.alerts.desk.datetime", Now)
    before = Message.objects.count()
    page = clerk().get("/office/alerts/past/high/?days=7", headers={"accept-language": "en"}).content.decode()
    assert "It would have been raised 3 times in 7 days." in page
    assert Message.objects.count() == before


# The structure of CAP 1.2, section 3.4: element, how often at least and at most, in this order.
ALERT = (
    ("identifier", 1, 1), ("sender", 1, 1), ("sent", 1, 1), ("status", 1, 1), ("msgType", 1, 1), ("source", 0, 1),
    ("scope", 1, 1), ("restriction", 0, 1), ("addresses", 0, 1), ("code", 0, 99), ("note", 0, 1), ("references", 0, 1),
    ("incidents", 0, 1), ("info", 0, 99),
)  # fmt: skip
INFO = (
    ("language", 0, 1), ("category", 1, 99), ("event", 1, 1), ("responseType", 0, 99), ("urgency", 1, 1),
    ("severity", 1, 1), ("certainty", 1, 1), ("audience", 0, 1), ("eventCode", 0, 99), ("effective", 0, 1),
    ("onset", 0, 1), ("expires", 0, 1), ("senderName", 0, 1), ("headline", 0, 1), ("description", 0, 1),
    ("instruction", 0, 1), ("web", 0, 1), ("contact", 0, 1), ("parameter", 0, 99), ("resource", 0, 99), ("area", 0, 99),
)  # fmt: skip
AREA = (
    ("areaDesc", 1, 1), ("polygon", 0, 99), ("circle", 0, 99), ("geocode", 0, 99), ("altitude", 0, 1),
    ("ceiling", 0, 1),
)  # fmt: skip
WORDS = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {
        "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE",
        "Other",
    },
    "responseType": {
        "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None",
    },
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}  # fmt: skip
MOMENT = re.compile(r"\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d\Z")


def check_cap(element: Any, structure: tuple[tuple[str, int, int], ...]) -> None:
    tags = [etree.QName(child).localname for child in element]
    assert all(etree.QName(child).namespace == NAMESPACE for child in element)
    order = [name for name, _, _ in structure]
    assert tags == sorted(tags, key=order.index)
    for name, least, most in structure:
        assert least <= tags.count(name) <= most, name
    for child, tag in zip(element, tags, strict=True):
        if tag in WORDS:
            assert child.text in WORDS[tag]
        if tag in ("sent", "effective", "onset", "expires"):
            assert MOMENT.match(child.text)
        if tag == "identifier":
            assert not re.search(r"[\s,<&]", child.text)
        if tag == "circle":
            assert re.fullmatch(r"-?\d+(\.\d+)?,-?\d+(\.\d+)? \d+(\.\d+)?", child.text)
        if tag in ("info", "area"):
            check_cap(child, INFO if tag == "info" else AREA)


def cap(event: Event) -> Any:
    answer = Client().get(f"/alerts/cap/{event.id}.xml")
    assert answer.headers["Content-Type"].startswith("application/cap+xml")
    root = etree.fromstring(answer.content)
    assert root.tag == f"{{{NAMESPACE}}}alert"
    check_cap(root, ALERT)
    return root


def said(root: Any, *path: str) -> list[str]:
    return root.xpath("/".join(f"c:{part}" for part in path) + "/text()", namespaces={"c": NAMESPACE})


def test_public_alerts_are_cap_and_what_is_over_refers_to_its_beginning(town: Town) -> None:
    event = Event.objects.get(alert="high")
    begun = cap(event)
    assert said(begun, "info", "language") == ["de-DE", "en-GB"]
    assert said(begun, "info", "headline") == ["Hochwasser: a", "High water: a"]
    assert said(begun, "info", "area", "circle") == ["50.900000,11.600000 0"] * 2
    assert said(begun, "msgType") == ["Alert"]
    index = Client().get("/alerts/cap/")
    feed = etree.fromstring(index.content)
    links = feed.xpath("//a:entry/a:link[@rel='enclosure']/@href", namespaces={"a": "http://www.w3.org/2005/Atom"})
    assert [link.split("/", 3)[3] for link in links] == [f"alerts/cap/{event.id}.xml"]
    town.clock.now += MINUTE
    town.read(20)
    over = cap(event)
    assert said(over, "msgType") == ["Update"]
    assert said(over, "info", "responseType") == ["AllClear"] * 2
    assert said(begun, "info", "instruction")
    assert not said(over, "info", "instruction")  # nobody need keep off any more
    sender, name, sent = said(over, "references")[0].split(",")
    assert [sender, name, sent] == [said(begun, tag)[0] for tag in ("sender", "identifier", "sent")]
    assert b"<entry>" not in Client().get("/alerts/cap/").content


def test_a_tile_of_a_board_shows_what_is_public_alone(town: Town, rf: Any) -> None:
    request = rf.get("/")
    request.house = House(store=town.store, profile=town.profile, reader=house_reader("test"))
    tile = Tile(id="t", kind="alerts", title="Warnungen")
    kind = find("alerts")
    assert kind is not None
    shown = kind.render(request, tile)
    assert "Hochwasser: a" in shown
    assert "Innen" not in shown
    assert dict(kind.form(request=request).fields["alert"].choices).keys() == {"", "high"}  # type: ignore[attr-defined]
    Event.objects.filter(alert="high").update(state="over", ending="cleared", over=NOW + MINUTE)
    assert "Hochwasser" in kind.render(request, tile)
    assert "<table" not in kind.render(request, tile)


def test_a_name_that_xml_cannot_hold_breaks_no_feed(town: Town) -> None:
    event = Event.objects.get(alert="high")
    Event.objects.filter(pk=event.pk).update(thing_name="a\x07b & <c>")
    assert said(cap(event), "info", "area", "areaDesc") == ["ab & <c>"] * 2
    assert Client().get("/alerts/cap/").status_code == 200
    assert Client().get("/alerts/").status_code == 200


def test_an_alert_is_drafted_checked_and_released_like_a_rule(tmp_path: Any, settings: Any) -> None:
    body = {
        "title": {"de": "Viele", "en": "Many"},
        "dataset": "counts",
        "raise": "count > limti",
        "parameters": {"limit": 9},
        "inputs": {"count": {"property": "count"}},
    }
    with living_in(make_town(tmp_path / "town"), settings):
        with pytest.raises(ProfileError) as caught:
            revisions.save_draft("alert", "many", body, "cli:test")
        assert caught.value.place == "alerts.many.raise"
        assert "limti" in str(caught.value)
        draft = revisions.save_draft("alert", "many", {**body, "raise": "count > limit"}, "cli:test")
        revisions.propose(draft, "cli:test", seen=draft.turn, reason="to know")
        draft.refresh_from_db()
        revisions.release(draft, "cli:other", seen=draft.turn)
        live().expire()
        assert open_profile().alerts["many"].raise_when == "count > limit"
