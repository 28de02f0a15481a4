"""Tariffs that are entered in the browser: laid over the file's, written by one and released by another, each fault at
its field."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from allmende.city.parking.models import EnteredTariff
from allmende.city.parking.pricing.overlay import Entered, laid_over, with_version
from allmende.city.parking.tariffs import cost_of
from allmende.city.parking.tariffs_file import tariffs_of
from allmende.city.parking.tariffs_model import Plan, Rate, Tariffs, Version
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.accounts.people import give_role
from allmende.web.house import open_profile
from tests.web.catalogue.conftest import house  # noqa: F401  a fixture

ORIGIN = {"source": "constructed", "date": "2026"}
NAME = {"de": "Probe", "en": "Trial"}


def version(price: int, first: str | None, last: str | None = None) -> Version:
    days = [None if day is None else date.fromisoformat(day) for day in (first, last)]
    return Version(rates=(Rate(price=price),), valid_from=days[0], valid_until=days[1], **ORIGIN)


def shape(versions: tuple[Version, ...]) -> list[tuple[Any, str, str]]:
    return [(each.rates[0].price, str(each.valid_from), str(each.valid_until)) for each in versions]


def test_what_is_entered_counts_on_its_days_and_what_was_before_on_all_others() -> None:
    held = (version(200, None, "2025-01-31"), version(300, "2025-02-01"))
    market = with_version(held, version(0, "2026-12-05", "2026-12-06"))
    assert shape(market) == [
        (200, "None", "2025-01-31"),
        (300, "2025-02-01", "2026-12-04"),
        (0, "2026-12-05", "2026-12-06"),
        (300, "2026-12-07", "None"),
    ]
    # without a last day until the next one that is known
    assert shape(with_version(market, version(350, "2026-11-01")))[1:4] == [
        (300, "2025-02-01", "2026-10-31"),
        (350, "2026-11-01", "2026-12-04"),
        (0, "2026-12-05", "2026-12-06"),
    ]
    # one that begins before all others, and one that covers another whole
    assert shape(with_version(held, version(100, "2024-01-01")))[:2] == [
        (200, "None", "2023-12-31"),
        (100, "2024-01-01", "2025-01-31"),
    ]
    assert shape(with_version(market, version(9, "2026-12-01", "2026-12-31")))[1:] == [
        (300, "2025-02-01", "2026-11-30"),
        (9, "2026-12-01", "2026-12-31"),
        (300, "2027-01-01", "None"),
    ]


def test_a_site_lies_in_the_plan_that_was_entered_for_it() -> None:
    tariffs = Tariffs(zone="Europe/Berlin", holidays=lambda day: False)
    entered = Entered(plan="new", name=NAME, version=version(100, "2026-01-01"), sites=("parking-here",))
    both = laid_over(tariffs, [entered])
    assert both.sites["parking-here"].plan == "new"
    start = datetime(2025, 12, 31, 23, tzinfo=ZoneInfo("Europe/Berlin"))
    plan: Plan = both.plans["new"]
    assert cost_of(both, plan, start, start + timedelta(hours=1)).reason == "no-version"
    assert cost_of(both, plan, start + timedelta(hours=1), start + timedelta(hours=3)).cents == 200
    assert not tariffs.plans


# --- in the browser ---


@pytest.fixture
def people() -> dict[str, Client]:
    """An editor and two stewards."""
    made = {}
    for name, role in (("ede", "editor"), ("stella", "steward"), ("stefan", "steward"), ("con", "contributor")):
        user = User.objects.create_user(username=name, password="a long enough password 17")
        give_role(user, role, actor="test")
        made[name] = Client(headers={"accept-language": "en"})
        made[name].force_login(user)
    return made


def typed(**said: Any) -> dict[str, Any]:
    rate = {"kind": "price", "amount": "3,50", "days": ["mo", "tu"], "begin": "8:00", "end": "18", "step": "30"}
    form = {
        "seen": "0", "plan": "+", "name_de": "Messeplatz", "name_en": "Fair ground", "valid_from": "2035-01-01",
        "maximum": "12", "maximum_per": "day", "longest_counts": "all", "holidays": "sunday", "free_short": "all",
        "source": "Council, decision 1", "date": "2026-11-22", "rate-TOTAL_FORMS": "2", "rate-INITIAL_FORMS": "0",
    }  # fmt: skip
    return form | {f"rate-0-{name}": value for name, value in rate.items()} | {"rate-1-kind": "price"} | said


def step(client: Client, pk: int, name: str, seen: int, answer: str = "") -> str:
    path = f"/parking/operate/tariffs/{pk}/{name}"
    told = client.post(path, {"seen": str(seen), "answer": answer}, follow=True)
    return str(told.content.decode())


@pytest.mark.django_db
@pytest.mark.usefixtures("house")
def test_one_writes_another_releases_and_everybody_is_told_the_source(people: dict[str, Client]) -> None:
    path = "/parking/operate/tariffs/"
    assert Client().get(path).status_code == 302
    assert people["con"].get(path).status_code == 403
    known = tariffs_of(open_profile()).sites
    parks = [thing.id for thing in open_profile().things if thing.kind == "car-park"]
    site = next((each for each in parks if each not in known or not known[each].plan), "")
    said = {"sites": [site]} if site else {}
    made = people["stella"].post(f"{path}new", typed(**said))
    assert made.status_code == 302
    row = EnteredTariff.objects.get()
    assert (row.plan, row.body["rates"]) == (
        "fair-ground",
        [{"price": "3.50", "days": ["mo", "tu"], "begin": "08:00", "end": "18:00", "step": "PT30M"}],
    )
    page = people["stella"].get(f"{path}{row.pk}/").content.decode()
    assert "What it changes" in page
    assert "3.50" in page
    assert "Fair ground" not in Client().get("/parking/tariffs/").content.decode()
    assert "is proposed" in step(people["ede"], row.pk, "propose", 1)
    assert people["ede"].post(f"{path}{row.pk}/release", {"seen": "2"}).status_code == 403
    assert "Four eyes" in step(people["stella"], row.pk, "release", 2)
    assert "somebody else has changed this" in step(people["stefan"], row.pk, "release", 1)
    assert "Please say why" in step(people["stefan"], row.pk, "decline", 2)
    assert "Which council?" in step(people["stefan"], row.pk, "decline", 2, "Which council?")
    change = typed(seen="3", source="City council, decision 1", **said)
    assert people["ede"].post(f"{path}{row.pk}/", change).status_code == 302
    step(people["ede"], row.pk, "propose", 4)
    assert "It is released" in step(people["stella"], row.pk, "release", 5)
    shown = Client(headers={"accept-language": "en"}).get("/parking/tariffs/").content.decode()
    assert "City council, decision 1" in shown
    assert "Entered here, released on" in shown
    assert shown.index("Tariffs to come") < shown.index("Fair ground</th>")
    asked = "where=plan:fair-ground&from=2035-01-08T17:00&until=2035-01-09T09:00"
    told = json.loads(Client().get(f"/parking/tariffs/cost.json?{asked}").content)
    assert (told["cents"], told["lines"][0]["source"]) == (700, "City council, decision 1")
    if site:
        asked = asked.replace("plan:fair-ground", site)
        assert json.loads(Client().get(f"/parking/tariffs/cost.json?{asked}").content)["cents"] == 700
    # before its first day it may be given up, and the file's tariffs alone hold again
    assert "given up" in step(people["stefan"], row.pk, "withdraw", 6)
    assert "Fair ground" not in Client(headers={"accept-language": "en"}).get("/parking/tariffs/").content.decode()
    deeds = list(AuditEntry.objects.filter(action__endswith="-tariff").order_by("pk").values_list("action", flat=True))
    assert [each.removeprefix("parking.").removesuffix("-tariff") for each in deeds] == [
        "draft", "propose", "decline", "draft", "propose", "release", "withdraw",
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.usefixtures("house")
def test_what_holds_is_not_given_up_and_each_fault_stands_at_its_field(people: dict[str, Client]) -> None:
    path = "/parking/operate/tariffs/"
    begun = typed(valid_from=(datetime.now(UTC) - timedelta(days=2)).date().isoformat())
    people["ede"].post(f"{path}new", begun)
    row = EnteredTariff.objects.get()
    assert "Its first day has begun" in people["ede"].get(f"{path}{row.pk}/").content.decode()
    step(people["ede"], row.pk, "propose", 1)
    step(people["stella"], row.pk, "release", 2)
    assert "it holds already" in step(people["stella"], row.pk, "withdraw", 3)
    for field, said in {
        "valid_from": {"valid_from": "0001-01-01"},
        "valid_until": {"valid_until": "2026-12-31"},
        "source": {"source": " "},
        "date": {"date": "soon"},
        "name_de": {"name_de": ""},
        "name_en": {"name_en": "fair GROUND"},  # there is one
        "holidays": {"holidays": "own"},
        "free_short": {"free_short": "short"},
        "maximum": {"maximum": "a lot"},
        "plan": {"plan": "nowhere"},
        "sites": {"sites": ["nowhere"]},
        "rate-0-amount": {"rate-0-amount": ""},
        "rate-0-begin": {"rate-0-begin": "25:00"},
        "rate-0-step": {"rate-0-kind": "flat"},
        "rate-1-amount": {"rate-1-begin": "10:00"},
    }.items():
        answer = people["ede"].post(f"{path}new", typed(**{"name_en": "Another", **said}))
        assert answer.status_code == 422, field
        assert f'id="error-{field}"' in answer.content.decode(), field
    assert EnteredTariff.objects.count() == 1
