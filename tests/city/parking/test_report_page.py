"""Reports as pages and files, of counts that came in by the way of all readings."""

import gzip
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from allmende.city.parking.models import ChosenFact, Closure, Event, KeptReport, Override
from allmende.city.parking.operating import paperwork
from allmende.city.parking.report_kept import close_months
from allmende.domain.connector import Payload
from allmende.web.accounts.models import Membership
from allmende.web.config import load_config
from allmende.web.house import furnish, house_for_job, open_profile, open_store
from allmende.web.intake import Intake
from tests.web.office import with_role

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = datetime(2024, 2, 1, tzinfo=UTC)


@pytest.fixture
def counts() -> None:
    """Eight weeks of two car parks: Eichplatz is fuller by 100 from 4 March on."""
    if "jena-parking" not in open_profile().sources:
        pytest.skip("this house is another city's")
    furnish(open_store(), open_profile())
    rows = ["timestamp,place_id,free"]
    for half in range(48 * 56):  # an hour without a word by day would count as silence
        at, hour = FIRST + timedelta(minutes=30 * half), half // 2
        free = 200 - 20 * (hour % 6) + (hour // 24) % 7
        later = 100 if at >= datetime(2024, 3, 4, tzinfo=UTC) else 0
        rows.append(f"{at.isoformat()},mobilitaet-jena-Eichplatz,{free - later}")
        rows.append(f"{at.isoformat()},mobilitaet-jena-Seidelparkplatz,{free - 80}")
    intake = Intake(open_store(), open_profile(), load_config())
    body = "\n".join(rows).encode()
    receipt = intake.take("jena-parking", Payload(body=body, name="constructed", received_at=intake.clock()))
    assert receipt.rejected == 0


@pytest.fixture
def editor() -> Client:
    user = with_role("anna", "editor")
    Membership.objects.create(user=user, role="editor")
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    client.force_login(user)
    return client


def page(client: Client, path: str, status: int = 200) -> Any:
    answer = client.get(f"/parking/{path}")
    assert answer.status_code == status, answer.content
    return answer


@pytest.mark.usefixtures("counts")
def test_reports_are_listed_shown_and_given_as_files(editor: Client) -> None:
    listed = page(editor, "reports/").content.decode()
    assert listed.index("März 2024") < listed.index("Februar 2024")
    shown = page(editor, "reports/2024-03/").content.decode()
    assert "Eichplatz" in shown
    assert "Seidelparkplatz" in shown
    assert "Untergrenze" in shown
    file = page(editor, "reports/2024-02/report.xlsx")
    assert file["Content-Disposition"] == 'attachment; filename="parking-2024-02.xlsx"'
    assert file.content[:2] == b"PK"
    page(editor, "reports/2023-01/", 404)
    page(editor, "reports/soon/", 404)
    page(editor, "reports/2024-02/report.exe", 404)
    assert page(Client(), "reports/2024-03/", 302)["Location"].startswith("/accounts/login/")


@pytest.mark.usefixtures("counts")
def test_what_operators_decided_is_in_reports_histories_and_plans_of_that_time(editor: Client) -> None:
    """A capacity chosen from 1 March on, a closure of its first ten days, and a day set by hand."""
    made = datetime(2024, 3, 1, tzinfo=UTC)
    site = {"site": "parking-eichplatz", "made": made, "start": made, "reason": "constructed"}
    begin, end = datetime(2024, 3, 3, 23, tzinfo=UTC), datetime(2024, 3, 13, 23, tzinfo=UTC)

    def row() -> list[str]:
        words = page(editor, "reports/2024-03/").content.decode()
        cells = re.search(r"<t[hd][^>]*>\s*Eichplatz.*?</tr>", words, re.DOTALL)
        assert cells is not None
        return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", cells[0], re.DOTALL)]

    plain = row()
    with paperwork.change("parking-eichplatz", None):
        ChosenFact.objects.create(fact="capacity", value=1000, source="constructed", date="2024", **site)
        Closure.objects.create(**{**site, "start": begin}, until=end, text="constructed")
        Override.objects.create(
            **{**site, "start": end}, until=end + timedelta(days=1), status="live", free=3, note=""
        )  # fmt: skip
    decided = row()
    assert "1.000" in decided
    assert decided != plain
    assert "240,0" in decided  # hours closed
    assert "24,0" in decided  # set by hand
    february = page(editor, "reports/2024-02/").content.decode()
    assert "1.000" not in february
    span = f"from={begin - timedelta(days=1):%Y-%m-%dT%H:%MZ}&to={end + timedelta(days=2):%Y-%m-%dT%H:%MZ}&width=86400"
    table = page(Client(), f"api/sites/parking-eichplatz/history.csv?{span}").content.decode().splitlines()[1:]
    days = [line.split(",") for line in table]
    assert [(day[3] == "", day[7]) for day in days] == [
        (False, "false"), *[(True, "false")] * 10, (True, "true"), (False, "false")
    ]  # fmt: skip
    # without the days of the closure and the one by hand there are three days less after the event
    told = page(Client(), EVENT.replace("/?", "/plan.csv?")).content.decode().splitlines()
    after = dict(zip(told[0].split(","), told[1].split(","), strict=True))
    assert float(after["difference"]) == pytest.approx(-100, abs=0.5)
    assert float(after["days"]) == 21 - 11


@pytest.mark.usefixtures("counts")
def test_a_month_that_is_closed_stays_what_it_was(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    job = house_for_job("parking")
    monkeypatch.setattr(type(job), "now", lambda _self: datetime(2024, 3, 20, tzinfo=UTC))
    close_months(job)
    monkeypatch.undo()
    assert [(each.month, each.edition) for each in KeptReport.objects.all()] == [("2024-02", 1)]  # March goes on
    before = re.findall(r"<td.*?</td>", page(editor, "reports/2024-02/").content.decode())
    late = "timestamp,place_id,free\n2024-02-10T12:01:00+00:00,mobilitaet-jena-Eichplatz,1\n"
    intake = Intake(open_store(), open_profile(), load_config())
    assert (
        intake.take("jena-parking", Payload(body=late.encode(), name="late", received_at=intake.clock())).rejected == 0
    )
    kept = page(editor, "reports/2024-02/").content.decode()
    assert "Geschlossen am" in kept
    assert re.findall(r"<td.*?</td>", kept) == before
    assert re.findall(r"<td.*?</td>", page(editor, "reports/2024-02/?edition=now").content.decode()) != before
    page(editor, "reports/2024-02/?edition=2", 404)
    assert page(editor, "reports/2024-02/report.pdf?edition=1").content[:4] == b"%PDF"
    assert editor.post("/parking/reports/2024-02/close").status_code == 403  # a steward's
    steward = Client(HTTP_ACCEPT_LANGUAGE="de")
    user = with_role("stella", "steward")
    Membership.objects.create(user=user, role="steward")
    steward.force_login(user)
    assert steward.post("/parking/reports/2024-02/close").status_code == 302
    assert "Ausgabe 2" in page(editor, "reports/2024-02/").content.decode()
    assert steward.post("/parking/reports/2023-01/close").status_code == 404
    assert "geschlossen am" in page(editor, "reports/").content.decode()


EVENT = "plan/?site=parking-eichplatz&date=2024-03-04&weeks=3&hour_from=0&hour_to=24"


@pytest.mark.usefixtures("counts")
def test_a_plan_tells_what_changed_here_and_not_around() -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    shown = page(client, f"{EVENT}&metres=2000").content.decode()
    assert re.search(r"(99|100),\d Plätze weniger frei", shown)
    assert "Das ist mehr, als der Zufall allein erwarten lässt" in shown
    assert "Üblich" in shown
    rows = [line.split(",") for line in page(client, EVENT.replace("/?", "/plan.csv?")).content.decode().splitlines()]
    told = dict(zip(rows[0], rows[1], strict=True))
    assert float(told["difference"]) == pytest.approx(-100, abs=0.5)
    assert float(told["low95"]) <= float(told["difference"]) <= float(told["high95"]) < 0
    assert float(told["arrivals_per_day_at_least"]) == pytest.approx(24 / 6 * 100, rel=0.05)
    other = page(client, EVENT.replace("eichplatz", "seidelparkplatz").replace("/?", "/plan.csv?")).content.decode()
    assert abs(float(other.splitlines()[1].split(",")[10])) < 0.5


@pytest.mark.usefixtures("counts")
def test_a_plan_takes_off_what_changed_elsewhere_and_refuses_nonsense() -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    table = page(client, f"{EVENT}&control=parking-seidelparkplatz".replace("/?", "/plan.csv?")).content.decode()
    told = dict(zip(*(line.split(",") for line in table.splitlines()[:2]), strict=True))
    assert float(told["net_difference"]) == pytest.approx(-100, abs=0.5)
    for query, words in (
        ("site=parking-nowhere", "there is no car park"),
        ("site=parking-eichplatz&date=soon", "This is no day"),
        ("site=parking-eichplatz&date=2024-03-04&until=2024-03-01", "ends before it begins"),
        ("site=parking-eichplatz&weeks=99", "from 2 to 26"),
        ("site=parking-eichplatz&what=war", "Choose one of these"),
    ):
        assert words in page(client, f"plan/?{query}", 400).content.decode()
    assert "needed" in page(client, "plan/plan.csv?site=parking-eichplatz", 400).content.decode()


@pytest.mark.usefixtures("counts")
def test_what_the_house_knows_of_fills_the_question_and_is_told_beside_it() -> None:
    made = {"made": FIRST, "reason": "secret"}
    closure = Closure.objects.create(
        site="parking-eichplatz", start=datetime(2024, 3, 3, 23, tzinfo=UTC),
        until=datetime(2024, 3, 5, 23, tzinfo=UTC),
        text="Kanal", **made,
    )  # fmt: skip
    party = Event.objects.create(
        name="Frühlingsmarkt", sites=["parking-seidelparkplatz", "parking-nowhere"], **made,
        start=datetime(2024, 3, 9, 17, tzinfo=UTC), until=datetime(2024, 3, 9, 21, 30, tzinfo=UTC),
    )  # fmt: skip
    Closure.objects.create(site="parking-eichplatz", start=datetime.now(UTC) + timedelta(days=9), text="later", **made)
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    shown = page(client, "plan/").content.decode()
    assert f'value="closure:{closure.pk}">04.03.2024 – 05.03.2024, Eichplatz, Kanal<' in shown
    assert f'value="event:{party.pk}">09.03.2024, Seidelparkplatz, Frühlingsmarkt<' in shown
    assert "01.02.2025, " in shown  # the tariffs' own day
    assert "secret" not in shown
    assert "later" not in shown
    filled = page(client, f"plan/?known=event:{party.pk}&site=parking-eichplatz", 302)["Location"]
    assert "site=parking-seidelparkplatz&what=event&date=2024-03-09&until=2024-03-09" in filled
    assert "hour_from=18&hour_to=23" in filled
    about = page(client, f"plan/?known=closure:{closure.pk}", 302)["Location"].removeprefix("/parking/")
    around = "&around_of=parking-eichplatz&around=parking-seidelparkplatz"
    words = page(client, about + around).content.decode()
    assert words.count("Kanal") == 1  # what is asked about is not told beside itself
    assert words.count("Frühlingsmarkt") == 2  # offered, and told since the place is a neighbour
    assert "Schulferien, vorher: Winterferien" in words
    alone = page(client, f"{EVENT}&around_of=parking-eichplatz").content.decode()
    assert "Frühlingsmarkt</li>" not in alone
    assert "Kein anderes Parkhaus" in alone
    for table, first in (("days", "2024-02-1"), ("week", "1,00:00,"), ("turnover", "2024-02-0")):
        rows = page(client, EVENT.replace("/?", f"/plan.csv?table={table}&")).content.decode().splitlines()
        assert any(first in line for line in rows[1:])
    page(client, EVENT.replace("/?", "/plan.csv?table=all&"), 400)


@pytest.mark.usefixtures("counts")
def test_before_any_count_a_plan_says_that_nothing_can_be_said() -> None:
    shown = page(Client(HTTP_ACCEPT_LANGUAGE="en"), EVENT.replace("2024", "2020")).content.decode()
    assert "Nothing can be said" in shown


def test_the_recorded_spring_is_answered() -> None:
    """Eichplatz around the first of March, from the recording: figures within what the car park has."""
    folder = Path(__file__).parents[3].resolve().parent / "shared" / "data" / "parking"
    file = folder / "jena_free_2023-11-07_2024-04-30.csv.gz"
    if not file.is_file():
        pytest.skip("the recording is not at hand: ../shared/data/parking")
    if "jena-parking" not in open_profile().sources:
        pytest.skip("this house is another city's")
    furnish(open_store(), open_profile())
    with gzip.open(file, "rt") as lines:
        rows = [
            line for line in lines if line.startswith("time") or ("Eichplatz" in line and "2024-02" < line < "2024-04")
        ]
    intake = Intake(open_store(), open_profile(), load_config())
    body = "".join(rows).encode()
    assert intake.take("jena-parking", Payload(body=body, name="recorded", received_at=intake.clock())).rejected == 0
    table = page(Client(), EVENT.replace("2024-03-04", "2024-03-01").replace("/?", "/plan.csv?")).content.decode()
    told = dict(zip(*(line.split(",") for line in table.splitlines()[:2]), strict=True))
    assert 0 < float(told["mean_free"]) < 290
    assert 300 < float(told["arrivals_per_day_at_least"]) < 1500
