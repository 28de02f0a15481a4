"""The page of tariffs and the same for programs, of Jena."""

import json
from typing import Any

import pytest
from django.test import Client

from allmende.web.house import open_profile
from tests.web.catalogue.conftest import house  # noqa: F401  a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]
NIGHT = "from=2025-01-31T22:30&until=2025-02-01T01:20"


@pytest.fixture(autouse=True)
def jena() -> None:
    if open_profile().id != "jena":
        pytest.skip("asks for Jena's tariffs")


def get(path: str, status: int = 200, language: str = "de") -> str:
    answer = Client(headers={"accept-language": language}).get(f"/parking/tariffs/{path}")
    assert answer.status_code == status, answer.content
    return str(answer.content.decode()).replace("\u202f", " ")


def body(path: str, status: int = 200) -> Any:
    return json.loads(get(path, status))


def test_the_page_tells_prices_and_what_no_source_says() -> None:
    page = get("")
    assert "3,00 € je Stunde" in page
    assert "Keine Quelle sagt, in welchen Schritten" in page
    assert page.index("Tarife jetzt") < page.index("Frühere Tarife")
    assert "Künftige Tarife" not in page


def test_a_cost_is_explained_line_by_line_in_both_languages() -> None:
    page = get(f"?where=plan:centre&{NIGHT}")
    assert "7,00 €" in page
    assert "31.01.2025, 22:30 – 01.02.2025, 00:00" in page
    assert "€3.00" not in get(f"?where=plan:centre&{NIGHT}", language="en")
    assert "It is one of these" in get(f"?where=parking-eichplatz&{NIGHT}".replace("01:20", "00:20"), language="en")
    assert "01.02.2025, 00:30" in get(f"?where=parking-eichplatz&{NIGHT}")  # two hours are the most


def test_programs_get_cents_and_codes() -> None:
    told = body(f"cost.json?where=plan:centre&{NIGHT}")
    assert (told["status"], told["cents"]) == ("known", 700)
    assert [line["cents"] for line in told["lines"]] == [300, 400]
    assert body(f"cost.json?where=parking-goethe-galerie&{NIGHT}")["reason"] == "no-source"
    plans = body("tariffs.json")["plans"]
    assert [plan["versions"][-1]["rates"][0]["price"] for plan in plans] == [300, 150, 75]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("where=parking-nowhere", "nicht bekannt"),
        ("where=plan:centre&from=soon", "Das ist keine Zeit"),
        ("where=plan:centre&from=2026-11-23T10:00&until=2026-11-23T09:00", "endet, bevor sie beginnt"),
        ("where=plan:centre&from=2026-01-01T10:00&until=2026-11-23T09:00", "höchstens 100 Tage"),
    ],
)
def test_a_question_without_sense_is_told_what_is_wrong(query: str, words: str) -> None:
    assert words in get(f"?{query}", 400)
    assert words in body(f"cost.json?{query}", 400)["error"]
