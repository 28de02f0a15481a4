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


def _several() -> dict[tuple[str, str], Join]:
    """What STAplus puts together many to many, both ways."""
    found: dict[tuple[str, str], Join] = {}
    for holder, set_name, column in (("Campaign", "Campaigns", "campaign"), ("Project", "Projects", "project")):
        for entity, relation, ending, other in (
            ("Datastream", "Datastreams", "datastream", "datastream"),
            ("MultiDatastream", "MultiDatastreams", "multi_datastream", "datastream"),
            ("ObservationGroup", "ObservationGroups", "group", "observation_group"),
        ):
            found[holder, relation] = Join("link", column, f"{column}_{ending}", other)
            found[entity, set_name] = Join("link", other, f"{column}_{ending}", column)
    for entity, other in (("Observation", "observation"), ("Relation", "relation")):
        relation = f"{entity}s"
        found["ObservationGroup", relation] = Join("link", "observation_group", f"group_{other}", other)
        found[entity, "ObservationGroups"] = Join("link", other, f"group_{other}", "observation_group")
    return found


def _claims() -> dict[tuple[str, str], Join]:
    """Party and License of what has them, both ways."""
    found: dict[tuple[str, str], Join] = {}
    for claim, column, bearers in (
        ("Party", "party", ("Thing", "Datastream", "MultiDatastream", "ObservationGroup", "Campaign", "Project")),
        ("License", "license", ("Datastream", "MultiDatastream", "ObservationGroup", "Campaign", "Project")),
    ):
        for bearer in bearers:
            found[bearer, claim] = Join("own", column)
            found[claim, f"{bearer}s"] = Join("far", column)
    return found


JOINS: Mapping[tuple[str, str], Join] = MappingProxyType(
    {
        **_several(),
        **_claims(),
        ("Thing", "TaskingCapabilities"): Join("far", "thing"),
        ("TaskingCapability", "Thing"): Join("own", "thing"),
        ("TaskingCapability", "Actuator"): Join("own", "actuator"),
        ("TaskingCapability", "Tasks"): Join("far", "tasking_capability"),
        ("Task", "TaskingCapability"): Join("own", "tasking_capability"),
        ("Actuator", "TaskingCapabilities"): Join("far", "actuator"),
        ("Relation", "Subject"): Join("own", "subject"),
        ("Relation", "Object"): Join("own", "object"),
        ("Observation", "Objects"): Join("far", "subject"),
        ("Observation", "Subjects"): Join("far", "object"),
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
