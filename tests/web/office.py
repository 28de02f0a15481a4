"""A town's folder that may be changed, with people who look after it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from allmende.web.accounts.models import User
from allmende.web.live import forget

TOWN = """
id = "town"
name = "Town"
country = "DE"
time_zone = "Europe/Berlin"
languages = ["de", "en"]

[geography]
center = [0.5, 0.5]
zoom = 10
boundary = "outline.geojson"
districts = "outline.geojson"
waters = "waters.geojson"
attribution = "nobody"

# Counted by hand.
[datasets.counts]
title = { de = "Zählungen", en = "Counts" }
description = { de = "Gezählt.", en = "Counted." }
publisher = "Town"
licence = "CC0-1.0"
attribution = "Town"

[sources.feed]
connector = "simple"
title = { de = "Zähler", en = "Counter" }
enabled = true
dataset = "counts"

[retention.all]
stream = "*"
keep = "P2Y"
"""
_OUTLINE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "all"},
            "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]},
        }
    ],
}
RULE: dict[str, Any] = {
    "version": 1,
    "title": {"de": "Doppelt", "en": "Doubled"},
    "dataset": "counts",
    "by": "stream",
    "inputs": {"count": {"property": "count"}},
    "outputs": {
        "twice": {
            "stream": "{stream}~twice",
            "property": {"id": "twice", "name": {"de": "Doppelt", "en": "Twice"}},
            "type": "count",
            "expression": "count * 2",
        }
    },
}
"""Doubles what is counted."""


def make_town(folder: Path, text: str = TOWN) -> Path:
    """A profile's folder, settled: its files are older than what may still be being written."""
    folder.mkdir(exist_ok=True)
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "outline.geojson").write_text(json.dumps(_OUTLINE))
    (folder / "waters.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": []}))
    rewrite(folder, text)
    return folder


def rewrite(folder: Path, text: str, name: str = "city.toml") -> None:
    """Write a file as if that had been a while ago; each time another time."""
    path = folder / name
    path.write_text(text)
    at = time.time_ns() - 5 * 10**9
    import os

    os.utime(path, ns=(at, at))


@contextmanager
def living_in(folder: Path, settings: Any, **changed: Any) -> Iterator[None]:
    """The house of a folder; whatever is known of profiles is forgotten before and after."""
    forget()
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, city=str(folder), disk_floor=0, **changed)
    yield
    forget()


def with_role(name: str, role: str) -> User:
    """Somebody with a role; of those who may release, only administrators are known to every way of giving roles."""
    if role == "administrator":
        return User.objects.create_superuser(name)
    return User.objects.create_user(name)
