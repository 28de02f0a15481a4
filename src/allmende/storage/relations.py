"""How entities hang together in tables: one line per relation of the model."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple


class Join(NamedTuple):
    """How to get from a parent to a child along a relation.

    ``own``: the parent's row names the child (``parent.column = child.key``).
    ``far``: the child's row names the parent (``child.column = parent.key``).
    ``link``: a table between them holds both (``table.column = parent.key``, ``table.other = child.key``).
    """

    kind: Literal["own", "far", "link"]
    column: str
    table: str = ""
    other: str = ""
    order: str = ""
    """The column of the table between them that holds the order of the children."""


JOINS: Mapping[tuple[str, str], Join] = MappingProxyType(
    {
        ("Thing", "Locations"): Join("link", "thing", "thing_location", "location"),
        ("Thing", "HistoricalLocations"): Join("far", "thing"),
        ("Thing", "Datastreams"): Join("far", "thing"),
        ("Thing", "MultiDatastreams"): Join("far", "thing"),
        ("Location", "Things"): Join("link", "location", "thing_location", "thing"),
        ("Location", "HistoricalLocations"): Join(
            "link", "location", "historical_location_location", "historical_location"
        ),
        ("HistoricalLocation", "Thing"): Join("own", "thing"),
        ("HistoricalLocation", "Locations"): Join(
            "link", "historical_location", "historical_location_location", "location"
        ),
        ("Datastream", "Thing"): Join("own", "thing"),
        ("Datastream", "Sensor"): Join("own", "sensor"),
        ("Datastream", "ObservedProperty"): Join("own", "observed_property"),
        ("Datastream", "Observations"): Join("far", "datastream"),
        ("MultiDatastream", "Thing"): Join("own", "thing"),
        ("MultiDatastream", "Sensor"): Join("own", "sensor"),
        ("MultiDatastream", "ObservedProperties"): Join(
            "link", "datastream", "stream_property", "observed_property", order="place"
        ),
        ("MultiDatastream", "Observations"): Join("far", "datastream"),
        ("Sensor", "Datastreams"): Join("far", "sensor"),
        ("Sensor", "MultiDatastreams"): Join("far", "sensor"),
        ("ObservedProperty", "Datastreams"): Join("far", "observed_property"),
        ("ObservedProperty", "MultiDatastreams"): Join("link", "observed_property", "stream_property", "datastream"),
        ("Observation", "Datastream"): Join("own", "datastream"),
        ("Observation", "MultiDatastream"): Join("own", "datastream"),
        ("Observation", "FeatureOfInterest"): Join("own", "feature"),
        ("FeatureOfInterest", "Observations"): Join("far", "feature"),
    }
)


def key_of(entity: str) -> str:
    """The column of the engine's own key."""
    return "id" if entity == "Observation" else "pk"
