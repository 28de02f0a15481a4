"""What is told of each measured site as readings of the commons: the count put right, beside the one that was measured.

Who reads SensorThings, a chart or a rule finds under ``SITE~told`` what the boards, feeds and signs say: with
calibration, leased spaces, closures and what an operator set by hand, null where no number is told, and a doubt as a
flag. It is kept as it was told and never changed afterwards; what it was made of its properties say.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from allmende.city.house import House
from allmende.city.parking.now import states_at
from allmende.city.parking.standing import SiteState
from allmende.domain import times
from allmende.domain.records import Declaration, Property, Record, SensorDeclaration, Series, ThingDeclaration, Unit
from allmende.domain.spans import Held

DATASET = "parking-guidance"
OBSERVED = "free-parking-spaces-told"
AGAIN = timedelta(hours=1)
"""What holds on is told again after so long, so that nobody takes silence for the same number."""
_SILENCE = {"day": "PT90M", "night": "PT90M", "rewrite": "PT90M"}
_WORDS = {
    "de": ("freie Plätze, wie sie gesagt werden", "Regeln der Parkleitung: Zählung, Kalibrierung, Entscheidungen"),
    "en": ("free spaces as told", "Rules of the parking guidance: count, calibration, decisions"),
}


def tell(house: House) -> None:
    """The job. It reads as anybody: what is not open does not get into an open stream."""
    now = house.now().replace(microsecond=0)
    states = states_at(house.for_anybody(), now, simulated="left-out", trends=False)
    counted = [state for state in states if state.stream and not state.summed and state.reason != "never"]
    last = {held.stream: held for held in house.store.held(
        house.reader, [stream_of(state) for state in counted], times.from_datetime(now)
    )}  # fmt: skip
    fresh = [state for state in counted if is_news(state, last.get(stream_of(state)), now)]
    if fresh:
        house.give("parking", DATASET, records(fresh, now, house.profile.languages[0]))


def stream_of(state: SiteState) -> str:
    """The id of the stream of what is told."""
    return f"{state.site.id}~told"


def is_news(state: SiteState, last: Held | None, now: datetime) -> bool:
    """Whether something else is told than before, or the same for long."""
    if last is None or times.from_datetime(now) - last.start >= AGAIN // timedelta(microseconds=1):
        return True
    return (last.result, last.flag) != told(state)


def told(state: SiteState) -> tuple[int | None, str]:
    """The number, if there is one, and why it is doubted."""
    if state.status != "live" or state.free is None:
        return None, ""
    return state.free, " ".join(state.flags)


def records(states: Iterable[SiteState], now: datetime, language: str) -> list[Record]:
    """As the commons take them."""
    words, method = _WORDS.get(language, _WORDS["en"])
    found: list[Record] = []
    for state in states:
        number, flag = told(state)
        properties: Mapping[str, Any] = {
            "inputs": sorted({stream.id for stream in state.site.streams if not stream.spaces_for}),
            "source": "service/parking",
            "dataset": DATASET,
            "reading": "step",
            "silence": _SILENCE,
            **({"capacity": state.capacity} if state.capacity is not None else {}),
        }
        found.append(
            Declaration(
                stream=stream_of(state),
                name=f"{state.site.name}: {words}",
                thing=ThingDeclaration(id=state.site.id, name=state.site.name, kept=True),
                sensor=SensorDeclaration(id="parking-told", name=method),
                observed_property=Property(
                    id=OBSERVED, name=words, definition=f"urn:x-allmende:{OBSERVED}", description=words
                ),
                unit=Unit("spaces", "{space}", "https://ucum.org/ucum"),
                observation_type="count",
                properties=properties,
                low=0,
            )
        )
        found.append(Series(stream=stream_of(state), times=[times.from_datetime(now)], results=[number], flags=[flag]))
    return found
