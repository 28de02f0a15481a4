"""Readings of car parks, gathered by stream, with their declarations."""

from allmende.connectors import parking
from allmende.domain.connector import Source, ThingFacts
from allmende.domain.records import Record, SensorDeclaration, Series, ThingDeclaration


def sensor(source: Source) -> SensorDeclaration:
    """The counting of one source; the operator's loops and cameras behind it are not published."""
    return SensorDeclaration(
        id=source.id,
        name="Parkleitsystem Jena" if source.language == "de" else "Jena parking guidance system",
        description="Counting by the operator; how each car park counts is not published",
        metadata=source.address,
        properties={"source": source.id},
    )


def thing(facts: ThingFacts, **more: object) -> ThingDeclaration:
    """The profile's thing; ``more`` goes into its properties."""
    return ThingDeclaration(
        id=facts.id,
        name=facts.name,
        description=facts.description,
        properties={**parking.thing_properties(facts), **more},
        position=parking.position(facts),
    )


class Gathered:
    """Columns by thing and quantity. Declares what it was asked for, and nothing else."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._series: dict[tuple[str, str], Series] = {}
        self._things: dict[str, ThingFacts] = {}

    def series(self, facts: ThingFacts, quantity: str) -> Series:
        """The columns of one stream, to be appended to."""
        key = (facts.id, quantity)
        if key not in self._series:
            self._things[facts.id] = facts
            self._series[key] = Series(stream=f"{facts.id}~{quantity}", times=[], results=[])
        return self._series[key]

    def add(self, facts: ThingFacts, quantity: str, time: int, value: int | None, flag: str) -> None:
        """One reading; ``flag`` is empty where it is plausible."""
        series = self.series(facts, quantity)
        if series.flags is None:
            series.flags = []
        series.times.append(time)
        series.results.append(value)
        series.flags.append(flag)

    def records(self) -> list[Record]:
        """For each stream with readings its declaration, then its readings."""
        by = sensor(self._source)
        properties = parking.stream_properties(self._source)
        declared = {id_: thing(facts) for id_, facts in self._things.items()}
        found: list[Record] = []
        for (id_, quantity), series in self._series.items():
            if not series.times:
                continue
            stated = parking.stated_capacities(self._things[id_])
            high = max(stated) if stated and quantity != "capacity" else None
            found.append(parking.declare(self._source, declared[id_], quantity, by, high=high, properties=properties))
            found.append(series)
        return found
