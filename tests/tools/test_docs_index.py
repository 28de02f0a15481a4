"""Every page of the docs is found from the others."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAV = (DOCS.parent / "mkdocs.yml").read_text("utf-8")
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_stands_in_the_navigation(page: str) -> None:
    assert f" {page}\n" in f"{NAV}\n"


def test_decisions_are_listed_in_the_order_of_their_numbers() -> None:
    listed = re.findall(
        r"^(\d+)\. \[.+\]\((\d{4})-[\w-]+\.md\)$", (DOCS / "decisions" / "index.md").read_text("utf-8"), re.M
    )
    there = sorted(path.name[:4] for path in (DOCS / "decisions").glob("0*.md"))
    assert [file for _, file in listed] == there
    assert [int(number) for number, _ in listed] == [int(file) for _, file in listed]
