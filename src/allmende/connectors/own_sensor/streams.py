"""The streams of a citizen's sensor, as its giver registered it."""

from collections.abc import Mapping
from typing import Any

from allmende.connectors.gathering import Refused, shown
from allmende.connectors.own_sensor.vocabulary import OWN_PROPERTY, same_name, vocabulary
from allmende.connectors.properties import declare, find_property
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, SensorDeclaration, ThingDeclaration


class Streams:
    """What one sensor measures: ``settings.measures`` by the name that is sent, with ``property``, ``name``, ``unit``,
    ``low`` and ``high``."""

    def __init__(self, source: Source) -> None:
        self._source = source
        measures = source.settings.get("measures")
        self._measures: Mapping[str, Any] = measures if isinstance(measures, dict) else {}
        self.listed = ", ".join(self._measures) or "nothing"
        self._names: dict[str, str] = {}
        for name in self._measures:
            known = vocabulary().get(name)
            for other in known.other if known else ():
                self._names.setdefault(other, name)
        self._names.update((same_name(name), name) for name in self._measures)
        self._thing = self._declare_thing()
        self._declared: dict[str, Declaration] = {}

    def known(self, text: str) -> str | None:
        """The sensor's own name for what a device calls so, or None."""
        return self._names.get(same_name(text))

    def find(self, text: str) -> str:
        """The same; raises Refused."""
        name = self.known(text)
        if name is None:
            raise Refused("unknown-name", f"this sensor does not measure {shown(text)}; it measures {self.listed}")
        return name

    def only(self) -> str:
        """The one thing that it measures; raises Refused where there are more."""
        if len(self._measures) != 1:
            raise Refused("no-name", f"say what the value is: this sensor measures {self.listed}")
        return next(iter(self._measures))

    def declare(self, name: str) -> Declaration:
        """The stream ``own-7~temperature``."""
        found = self._declared.get(name)
        if found is None:
            found = self._declared[name] = self._declare(name, self._measures[name])
        return found

    def _declare(self, name: str, said: Mapping[str, Any]) -> Declaration:
        source = self._source
        property_id = str(said.get("property") or OWN_PROPERTY)
        device = SensorDeclaration(id=source.id, name=self._thing.name, description="A sensor that a citizen gives")
        base = declare(source, self._thing, name, property_id, device, symbol=str(said.get("unit") or ""))
        observed, _ = find_property(source.settings, property_id, source.language)
        title = str(said.get("name") or observed.name)
        return Declaration(
            stream=base.stream,
            name=f"{self._thing.name}: {title}",
            thing=self._thing,
            sensor=device,
            observed_property=observed,
            unit=base.unit,
            observation_type="measurement",
            properties={**base.properties, "citizens": True, "verified": False},
            low=_bound(said.get("low")),
            high=_bound(said.get("high")),
        )

    def _declare_thing(self) -> ThingDeclaration:
        source, settings = self._source, self._source.settings
        lon, lat = settings.get("lon"), settings.get("lat")
        placed = isinstance(lon, int | float) and isinstance(lat, int | float)
        facts = settings.get("facts")
        return ThingDeclaration(
            id=source.id,
            name=str(settings.get("name") or source.id),
            description=str(settings.get("description") or ""),
            properties={"kind": "citizen-sensor", **(facts if isinstance(facts, dict) else {})},
            position=Position(float(lon), float(lat)) if placed else None,  # type: ignore[arg-type]  # placed says so
        )


def _bound(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
