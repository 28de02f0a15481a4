"""The controller of the documentation, hearing from a real broker what a sign is to show."""

import runpy
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from allmende.city.parking.signs import feed, keeping
from allmende.city.parking.signs.rules import decide
from allmende.domain import times
from allmende.domain.connector import Payload, Source
from allmende.domain.ingest import IngestLimits, ingest
from allmende.domain.records import Parsed
from tests.city.parking.test_signs import NOON, message, sign, state
from tests.conformance.sensorthings.house import House, open_house
from tests.conformance.sensorthings.messages import spoken_to

EXAMPLE = Path(__file__).parents[3] / "docs" / "how-to" / "sign_controller.py"
DISPLAY = sign()


def tell(house: House, shown: Any, at: Any) -> None:
    """As the job of the signs gives it to the commons."""
    source = Source(id="service/parking", connector="parking", dataset="parking")
    payload = Payload(body=b"", name="", received_at=times.from_datetime(at))
    parsed = Parsed(tuple(keeping.records([(DISPLAY, shown)])), ())
    house.store.append(ingest(parsed, payload=payload, source=source, version="1", limits=IngestLimits()))


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def test_a_controller_hears_what_is_retained_and_each_telling_and_falls_back_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = runpy.run_path(str(EXAMPLE))
    house = open_house(tmp_path, engine="sqlite")
    free = decide(DISPLAY, None, [state(57)], [], NOON)
    tell(house, free, NOON)
    mine, sooner = example["Sign"](), NOON + timedelta(minutes=1)
    assert mine.rows(NOON) == []
    with spoken_to(house, tmp_path, monkeypatch, ALLMENDE_MQTT_RETAIN="yes") as made:
        client = example["subscribe"](mine, DISPLAY.id, "127.0.0.1", made.config.mqtt_port)
        try:
            # the newest is retained: who comes back after a cut shows the right thing at once
            wait_until(lambda: mine.rows(NOON) == ["  55"])
            made.catch_up()
            text = message(pages={"de": ("zu",)}, start=NOON, until=NOON + timedelta(hours=1))
            tell(house, decide(DISPLAY, free, [state(57, now=sooner)], [text], sooner), sooner)
            wait_until(lambda: mine.rows(sooner) == ["zu"])
        finally:
            client.loop_stop()
            client.disconnect()
    # the line is cut: what it was told holds until its end, and then the fall-back stands there
    assert mine.rows(mine.until - timedelta(seconds=1)) == ["zu"]
    assert mine.rows(mine.until) == ["   –"]
    assert mine.until == sooner + DISPLAY.rules.valid
    # what comes late changes nothing; the feed says the same in its own form
    mine.hear(feed.told(DISPLAY, free))
    assert mine.rows(sooner) == ["zu"]
    again = example["Sign"]()
    again.hear(feed.as_json(DISPLAY, free, NOON, timedelta(seconds=30)))
    assert (again.rows(NOON), again.rows(again.until)) == (["  55"], ["   –"])
