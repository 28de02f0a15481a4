"""A house whose datasets have readings."""

from typing import Any

import msgspec
import pytest
from tests.support import batch

from allmende.domain.records import Series

DAY = 86_400_000_000
MIDNIGHT = 20_400 * DAY
"""2025-11-08."""


@pytest.fixture
def house(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two garages in ``parking``, one bus in ``transit``, of which nobody may know, and one simulated garage."""
    # this file is read before Django is set up
    from allmende.web.catalogue.notes import note_descriptions
    from allmende.web.house import furnish, open_profile, open_store

    closed = {
        name: msgspec.structs.replace(dataset, public_description=False)
        for name, dataset in open_profile().datasets.items()
    }
    profile = msgspec.structs.replace(open_profile(), datasets=closed)
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: profile)
    furnish(open_store(), profile)
    note_descriptions(profile, MIDNIGHT - 30 * DAY)
    for stream, dataset in (
        ("goethe~free", "parking"),
        ("markt~free", "parking"),
        ("bus~free", "transit"),
        ("demo~free", "demo-parking"),
    ):
        made = batch(
            Series(stream=stream, times=[MIDNIGHT - DAY, MIDNIGHT], results=[12, 7], flags=["above", ""]),
            dataset=dataset, at=MIDNIGHT + 60_000_000, origin=f"feed-{dataset}",
        )  # fmt: skip
        declared = made.declarations[0]
        sensor = msgspec.structs.replace(declared.sensor, id=f"sensor-{dataset}")
        made.declarations = [msgspec.structs.replace(declared, sensor=sensor)]
        open_store().append(made)
