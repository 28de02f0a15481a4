"""The streams of a signal installation, by the ids that the city's clients know: ``K440~K1_1~color``."""

from typing import Any

from allmende.connectors.messages import name_part
from allmende.connectors.properties import declare
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, SensorDeclaration, ThingDeclaration

_SENSOR = SensorDeclaration(
    id="ilsa", name="ILSA", description="Reads at the lamps' wires which of them are lit; it does not control anything"
)


def installation(source: Source, intersection: str, **more: Any) -> ThingDeclaration:
    """The signal installation; its name and place are known to the set-up alone, which comes when it likes.

    A name that equals the id is none: it takes nothing back that was said before.
    """
    names = source.settings.get("names")
    name = names.get(intersection) if isinstance(names, dict) else None
    position = more.pop("position", None)
    return ThingDeclaration(
        id=intersection,
        name=name if isinstance(name, str) and name else intersection,
        properties={"kind": "traffic-signals", **more},
        position=position if isinstance(position, Position) else None,
    )


def signal_part(source: Source, signal: object) -> str:
    """``K1/1`` as part of an id: ``K1_1``, or as it is where ``settings.slash`` is ``/`` (ids of older clients)."""
    slash = str(source.settings.get("slash", "_"))
    return name_part(signal, "the signal").replace("/", slash if slash in ("_", "/", "-") else "_")


def declare_signal(source: Source, thing: ThingDeclaration, part: str, resource: str) -> Declaration:
    """``color``: the lamps as the reader writes them; ``aspect``: the same in a word."""
    observed = "signal-lamps" if resource == "color" else "signal-aspect"
    return declare(source, thing, f"{part}~{resource}", observed, _SENSOR, label=part, volatile=True)


def declare_temperature(source: Source, thing: ThingDeclaration) -> Declaration:
    """Inside of the reader's box: not the weather."""
    return declare(source, thing, "thermal~temperature", "device-temperature", _SENSOR)
