"""What the service itself gives into the commons: how many spaces are free in all measured car parks together."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from allmende.city.house import House
from allmende.city.parking.operating.paperwork import current
from allmende.city.parking.standing import SiteState
from allmende.city.parking.state import read_states
from allmende.domain.policy import ANONYMOUS
from allmende.domain.records import Declaration, Property, Record, SensorDeclaration, Series, ThingDeclaration, Unit
from allmende.domain.times import from_datetime

DATASET = "parking-guidance"
THING = "parking-guidance"
FREE = Property(
    id="parking-free-together",
    name="Free spaces together",
    definition="urn:x-allmende:parking-free-together",
    description="Free spaces of all car parks whose counting is live and plausible, together",
)
LIVE = Property(
    id="parking-sites-live",
    name="Car parks that report",
    definition="urn:x-allmende:parking-sites-live",
    description="Car parks whose counting is live and plausible",
)


class Together(NamedTuple):
    """All car parks that are counted live, in sums."""

    free: int
    live: int
    known: int
    """Car parks that are measured at all."""


def together(states: Iterable[SiteState]) -> Together | None:
    """The sums over measured car parks; None where none is known. What is simulated or implausible counts nowhere, and
    the sum of parts not beside its parts."""
    measured = [state for state in states if state.site.kind == "car-park" and not state.simulated and not state.summed]
    good = [state.free for state in measured if state.status == "live" and state.free is not None and not state.flags]
    return Together(sum(good), len(good), len(measured)) if measured else None


def records(sums: Together, at: datetime) -> Iterable[Record]:
    """As the commons takes them. Where nothing is live there is no number of free spaces, and zero that report."""
    told = [(FREE, "free", sums.free)] if sums.live else []
    for observed, name, value in [*told, (LIVE, "live", sums.live)]:
        stream = f"{THING}~{name}"
        yield Declaration(
            stream=stream,
            name=f"Parking guidance: {observed.name.lower()}",
            thing=ThingDeclaration(id=THING, name="Parking guidance", properties={"kind": "parking-guidance"}),
            sensor=SensorDeclaration(id="parking-guidance", name="Sum over the car parks"),
            observed_property=observed,
            unit=Unit("1", "1"),
            observation_type="count",
            description=observed.description,
            low=0,
        )
        yield Series(stream=stream, times=[from_datetime(at)], results=[value])


def publish(house: House) -> None:
    """The job. It reads as anybody: what is not open does not get into an open sum."""
    now = house.now().replace(microsecond=0)
    decisions = current(now, house.profile)
    # beside: of a car park that a simulation stands in for it is told that it does not report
    told = {"decisions": decisions, "kinds": ("car-park",), "simulated": "beside", "trends": False}
    sums = together(read_states(house.store, house.profile, ANONYMOUS, now, **told))
    if sums is not None:
        house.give("parking", DATASET, records(sums, now))
