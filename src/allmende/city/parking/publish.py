"""What the service itself gives into the commons: how many spaces are free in all measured car parks together."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from allmende.city.house import House
from allmende.city.parking.drivers.places import is_counted, only_for
from allmende.city.parking.now import states_at
from allmende.city.parking.standing import SiteState
from allmende.domain.records import Declaration, Property, Record, SensorDeclaration, Series, ThingDeclaration, Unit
from allmende.domain.times import from_datetime

DATASET = "parking-guidance"
THING = "parking-guidance"
_WORDS = {
    "de": {
        THING: "Parkleitung",
        "sensor": "Summe über die Parkhäuser und Parkplätze",
        "free": "Freie Plätze zusammen",
        "free-means": "Freie Plätze aller Parkhäuser und Parkplätze, deren Zählung läuft und stimmen kann, zusammen",
        "live": "Parkhäuser, die melden",
        "live-means": "Parkhäuser und Parkplätze, deren Zählung läuft und stimmen kann",
    },
    "en": {
        THING: "Parking guidance",
        "sensor": "Sum over the car parks",
        "free": "Free spaces together",
        "free-means": "Free spaces of all car parks whose counting is live and plausible, together",
        "live": "Car parks that report",
        "live-means": "Car parks whose counting is live and plausible",
    },
}
"""What is said of the streams in the city's own language; English where that is another one."""
_PROPERTIES = {"free": "parking-free-together", "live": "parking-sites-live"}


class Together(NamedTuple):
    """All car parks that are counted live, in sums."""

    free: int
    live: int
    known: int
    """Car parks that are measured at all."""


def together(states: Iterable[SiteState]) -> Together | None:
    """The sums over measured car parks for everybody; None where none is known. What is simulated or implausible counts
    nowhere, the sum of parts not beside its parts, and a stand for bicycles is no space for a car."""
    parks = [state for state in states if state.site.kind == "car-park" and is_counted(state) and not only_for(state)]
    measured = [state for state in parks if not state.simulated and not state.summed]
    good = [state.free for state in measured if state.status == "live" and state.free is not None and not state.flags]
    return Together(sum(good), len(good), len(measured)) if measured else None


def records(sums: Together, at: datetime, language: str = "en") -> Iterable[Record]:
    """As the commons takes them. Where nothing is live there is no number of free spaces, and zero that report."""
    words = _WORDS.get(language, _WORDS["en"])
    for name, value in [*([("free", sums.free)] if sums.live else []), ("live", sums.live)]:
        stream, observed = f"{THING}~{name}", _PROPERTIES[name]
        yield Declaration(
            stream=stream,
            name=f"{words[THING]}: {words[name]}",
            thing=ThingDeclaration(id=THING, name=words[THING], properties={"kind": "parking-guidance"}),
            sensor=SensorDeclaration(id="parking-guidance", name=words["sensor"]),
            observed_property=Property(
                id=observed,
                name=words[name],
                definition=f"urn:x-allmende:{observed}",
                description=words[f"{name}-means"],
            ),
            unit=Unit("1", "1"),
            observation_type="count",
            description=words[f"{name}-means"],
            low=0,
        )
        yield Series(stream=stream, times=[from_datetime(at)], results=[value])


def publish(house: House) -> None:
    """The job. It reads as anybody: what is not open does not get into an open sum."""
    now = house.now().replace(microsecond=0)
    # beside: of a car park that a simulation stands in for it is told that it does not report
    told = {"kinds": ("car-park",), "simulated": "beside", "trends": False}
    sums = together(states_at(house.for_anybody(), now, **told))
    if sums is not None:
        house.give("parking", DATASET, records(sums, now, house.profile.languages[0]))
