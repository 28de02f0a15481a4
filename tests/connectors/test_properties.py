"""Observed properties are shared between sources by their ids: who gives one, calls it as the others do."""

import tomllib
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "src" / "allmende" / "connectors"


def test_what_several_connectors_give_has_one_name_and_definition() -> None:
    said: dict[str, dict[tuple[str, str, str], str]] = defaultdict(dict)
    for manifest in sorted(FOLDER.glob("*/manifest.toml")):
        settings = tomllib.loads(manifest.read_text("utf-8")).get("settings", {})
        for key in ("quantities", "properties"):
            for name, one in settings.get(key, {}).items():
                if isinstance(one, dict) and "de" in one:
                    words = (one["de"], one.get("en", ""), one.get("definition", ""))
                    said[one.get("property", name)][words] = manifest.parent.name
    assert {"air-temperature", "water-level"} <= said.keys()
    assert {id_: ways for id_, ways in said.items() if len(ways) > 1} == {}
