"""The past of a site as ParkAPI version 3 gives it: an item for each change (``parking-sites/{id}/history``).

As in the reference server an item has the site's number, the time (``realtime_data_updated_at``) and what was free; its
``id`` is the second of 1970 in which it began, so that ``start`` of a page is a moment. It tells what is told of the
past everywhere: a count that was not to be believed has no number, and where nothing is known an item says so
(``realtime_opening_status`` "UNKNOWN").
"""

from collections.abc import Iterable, Sequence
from typing import Any

from allmende.city.parking.past import SHUT, Room
from allmende.domain.steps import Segment
from allmende.domain.times import SECOND, to_datetime


def as_items(number: int, segments: Iterable[Segment], rooms: Sequence[Room]) -> list[dict[str, Any]]:
    """The items, the oldest first; of several in a second the last one, and none that says what the one before did."""
    found: dict[int, dict[str, Any]] = {}
    before: dict[str, Any] = {}
    for piece in segments:
        said = _said(piece, rooms)
        if said == before:
            continue
        before = said
        second = piece.start // SECOND
        time = f"{to_datetime(second * SECOND):%Y-%m-%dT%H:%M:%SZ}"
        found[second] = {
            "id": second, "parking_site_id": number, "created_at": time, "modified_at": time,
            "realtime_data_updated_at": time, **said,
        }  # fmt: skip
    return list(found.values())


def _said(piece: Segment, rooms: Sequence[Room]) -> dict[str, Any]:
    spaces = next((room.spaces for room in rooms if room.start <= piece.start < room.end), None)
    said: dict[str, Any] = {} if spaces is None else {"realtime_capacity": spaces}
    if piece.value is not None:
        return said if piece.flag else {**said, "realtime_free_capacity": max(int(piece.value), 0)}
    if piece.reason in SHUT or piece.flag == "closed":
        return {**said, "realtime_opening_status": "CLOSED", "realtime_free_capacity": 0}
    return {**said, "realtime_opening_status": "UNKNOWN"}
