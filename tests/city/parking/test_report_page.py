"""Reports as pages and files, of counts that came in by the way of all readings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from allmende.domain.connector import Payload
from allmende.web.accounts.models import Membership
from allmende.web.config import load_config
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.intake import Intake
from tests.web.office import with_role

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = datetime(2024, 2, 1, tzinfo=UTC)


@pytest.fixture
def counts() -> None:
    """Hours of eight weeks of two car parks: Eichplatz is fuller by 100 from 4 March on."""
    if "jena-parking" not in open_profile().sources:
        pytest.skip("this house is another city's")
    furnish(open_store(), open_profile())
    rows = ["timestamp,place_id,free"]
    for hour in range(24 * 56):
        at = FIRST + timedelta(hours=hour)
        free = 200 - 20 * (hour % 5) + (hour // 24) % 7
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
