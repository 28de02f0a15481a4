"""Doubts as readings of the commons: a stream for each site and kind of doubt, true while it lasts, false from its end.

So alerts, subscribers and everybody's own rules can follow what plausibility found; pages read the paperwork, which has
the figures.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from allmende.city.house import House
from allmende.city.parking.plausibility import RULES
from allmende.domain import times
from allmende.domain.records import Declaration, Property, Record, SensorDeclaration, Series, ThingDeclaration, Unit

DATASET = "parking-guidance"
DOUBT, HINT = "parking-doubt", "parking-hint"
"""Observed: what makes a number not to be shown, or not on signs; and what operators alone need to look at."""
_WORDS: Mapping[str, Mapping[str, str]] = {
    "de": {
        DOUBT: "Zählung unglaubwürdig",
        HINT: "Zählung auffällig",
        "negative": "weniger als nichts frei",
        "frozen": "eingefroren",
        "full-but-empty": "voll, aber wohl leer",
        "above-capacity": "mehr frei, als es Plätze gibt",
        "full-with-free": "voll, und Plätze frei",
        "jump": "Sprung",
        "drift": "Zähler läuft weg",
        "closed-with-change": "geschlossen, und doch bewegt",
    },
    "en": {
        DOUBT: "Count not to be believed",
        HINT: "Count to be looked at",
        "negative": "less than nothing free",
        "frozen": "frozen",
        "full-but-empty": "full, but probably empty",
        "above-capacity": "more free than there are",
        "full-with-free": "full, with free spaces",
        "jump": "a jump",
        "drift": "the counter drifts",
        "closed-with-change": "closed, and yet in motion",
    },
}


class Told(NamedTuple):
    """That a doubt on a site began or ended."""

    site: str
    name: str
    flag: str
    lasts: bool


def records(told: Iterable[Told], at: datetime, language: str) -> list[Record]:
    """As the commons take them."""
    words = _WORDS.get(language, _WORDS["en"])
    found: list[Record] = []
    for each in told:
        observed = HINT if RULES[each.flag].effect == "quiet" else DOUBT
        stream = f"{each.site}~doubt-{each.flag}"
        found.append(
            Declaration(
                stream=stream,
                name=f"{each.name}: {words[each.flag]}",
                thing=ThingDeclaration(id=each.site, name=each.site, kept=True),
                sensor=SensorDeclaration(
                    id="parking-plausibility", name="Rules of plausibility of the parking guidance"
                ),
                observed_property=Property(
                    id=observed,
                    name=words[observed],
                    definition=f"urn:x-allmende:{observed}",
                    description=words[observed],
                ),
                unit=Unit("1", "1"),
                observation_type="truth",
                properties={"flag": each.flag},
            )
        )
        found.append(Series(stream=stream, times=[times.from_datetime(at)], results=[each.lasts]))
    return found


def give(house: House, told: Iterable[Told], at: datetime) -> None:
    """Give them, in the transaction that is open."""
    listed = list(told)
    if listed:
        house.give("parking", DATASET, records(listed, at, house.profile.languages[0]))
