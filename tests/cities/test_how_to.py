"""The guide for other cities names every key of a profile."""

from pathlib import Path

import pytest

from allmende.domain.profile import DatasetProfile, Fact, Geography, Position, Profile, SourceProfile, ThingProfile

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "take-over-a-city.md"
TABLES = {"geography", "facts", "datasets", "things", "sources", "services"}


@pytest.mark.parametrize("struct", [DatasetProfile, Fact, Geography, Position, Profile, SourceProfile, ThingProfile])
def test_every_key_is_explained(struct: type) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for key in struct.__struct_fields__:
        if key in TABLES:
            assert f"[{key}" in text, key
        else:
            assert f"`{key}`" in text or f"{key}, " in text, key
