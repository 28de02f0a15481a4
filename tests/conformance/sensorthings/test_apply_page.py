"""The examples of docs/reference/aggregates.md are true."""

import re
from urllib.parse import quote

import msgspec
import pytest

from tests.conformance.sensorthings.house import House
from tests.support import ROOT

PAGE = (ROOT / "docs/reference/aggregates.md").read_text("utf-8")
EXAMPLES = re.findall(r"```\nGET (.*?)```\n```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("address", "answer"), EXAMPLES)
def test_an_example(town: House, address: str, answer: str) -> None:
    path, _, query = re.sub(r"\n *", "", address).partition("?")
    response = town.request("GET", path, quote(query, safe="$=&"))
    assert response.status == 200, response.body
    found = msgspec.json.decode(response.body)
    found.pop("@iot.nextLink", None)
    assert found == msgspec.json.decode(answer)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == PAGE.count("```json")
    assert len(EXAMPLES) >= 4
