"""The guide for other cities names every key of a profile."""

from pathlib import Path

import pytest

from allmende.domain import profile

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "take-over-a-city.md"
TABLES = {
    "geography",
    "facts",
    "datasets",
    "things",
    "sources",
    "services",
    "organisations",
    "catalogue",
    "harvests",
    "properties",
    "synonyms",
    "policies",
    "calendar",
    "forecasts",
}


STRUCTS = [
    "CatalogueProfile",
    "DatasetProfile",
    "Fact",
    "Geography",
    "Organisation",
    "Position",
    "Profile",
    "SourceProfile",
    "ThingProfile",
]


@pytest.mark.parametrize("struct", STRUCTS)
def test_every_key_is_explained(struct: str) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for key in getattr(profile, struct).__struct_fields__:
        if key in TABLES:
            assert f"[{key}" in text, key
        else:
            assert f"`{key}`" in text or f"{key}, " in text, key
