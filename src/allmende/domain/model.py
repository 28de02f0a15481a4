"""The data model of the measured world, as a table: the entities of OGC SensorThings 1.1 (18-088, clause 8), of its
Tasking (17-079r1) and of STAplus (22-022r1).

Parsers, checks, SQL and renderers all read this table; an entity or an attribute is written down nowhere else.
"""

from enum import StrEnum
from types import MappingProxyType

import msgspec


class Kind(StrEnum):
    """What values an attribute takes."""

    STRING = "string"
    JSON = "json"
    """Any JSON."""
    OBJECT = "object"
    """A JSON object."""
    LIST = "list"
    """A JSON array."""
    GEOMETRY = "geometry"
    """GeoJSON (or what the entity's encodingType says), EPSG:4326."""
    INSTANT = "instant"
    INTERVAL = "interval"
    """An instant or a span."""
    RESULT = "result"
    """A number, string, boolean, object, array or null; whole numbers and decimals kept apart."""


class Attribute(msgspec.Struct, frozen=True):
    """A property of an entity, by its name in the standard."""

    name: str
    kind: Kind
    required: bool = False
    computed: bool = False
    """Kept by the house; what a client sends for it is not taken."""
    now: bool = False
    """The time of creation, where nothing else is said."""
    swe: bool = False
    """It describes what others take: a DataRecord of SWE Common (see :mod:`allmende.domain.tasking`)."""
    choices: tuple[str, ...] = ()
    """The texts that it may be, where not any."""


class Relation(msgspec.Struct, frozen=True):
    """A navigation property. ``inverse`` is the relation that leads back."""

    name: str
    target: str
    many: bool
    inverse: str
    required: bool = False
    """There is no such entity without it: it goes with what it hangs on."""
    holds: bool = False
    """Of two to-many relations that are each other's inverse, the one whose entity says what belongs to it."""
    ordered: bool = False
    """The order in which related entities were named is kept."""
    quiet: bool = False
    """Its link is shown where it is selected alone: it leads somewhere for few, and everybody would pay for it."""


class EntityType(msgspec.Struct, frozen=True):
    """One kind of entity: its name, the name of its set, attributes and relations in the standard's order."""

    name: str
    set_name: str
    attributes: tuple[Attribute, ...]
    relations: tuple[Relation, ...]
    one_of: tuple[str, ...] = ()
    """Names of which exactly one has a value."""

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, or None."""
        return next((a for a in self.attributes if a.name == name), None)

    def relation(self, name: str) -> Relation | None:
        """The relation of that name, or None."""
        return next((r for r in self.relations if r.name == name), None)


def _text(*names: str, optional: tuple[str, ...] = ()) -> tuple[Attribute, ...]:
    return tuple(Attribute(n, Kind.STRING, required=n not in optional) for n in names)


OBSERVATION_TYPES = MappingProxyType(
    {
        name: f"http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_{code}"
        for name, code in {
            "measurement": "Measurement",
            "count": "CountObservation",
            "category": "CategoryObservation",
            "truth": "TruthObservation",
            "complex": "ComplexObservation",
            "any": "Observation",
        }.items()
    }
)
STREAMS = ("Datastream", "MultiDatastream")
"""What observations belong to. They are kept alike, and are different sets."""

_PROPERTIES = Attribute("properties", Kind.OBJECT)
_EXTENTS = (
    Attribute("observedArea", Kind.GEOMETRY, computed=True),
    Attribute("phenomenonTime", Kind.INTERVAL, computed=True),
    Attribute("resultTime", Kind.INTERVAL, computed=True),
)


def _claims(back: str) -> tuple[Relation, ...]:
    """Whose it is, and under which licence (STAplus); ``back`` is the relation that leads back."""
    return (
        Relation("Party", "Party", False, back, quiet=True),
        Relation("License", "License", False, back, quiet=True),
    )


def _gathered(back: str) -> tuple[Relation, ...]:
    """What it is part of (STAplus)."""
    return (
        Relation("Campaigns", "Campaign", True, back, quiet=True),
        Relation("Projects", "Project", True, back, quiet=True),
    )


def _undertaking(name: str) -> EntityType:
    """A Campaign; drafts of STAplus called it a Project, and servers of that time still do."""
    back = f"{name}s"
    return EntityType(
        name,
        back,
        (
            *_text("name", "description"),
            *_text("classification", "termsOfUse", "privacyPolicy", optional=("classification", "privacyPolicy")),
            Attribute("creationTime", Kind.INSTANT, now=True),
            Attribute("startTime", Kind.INSTANT),
            Attribute("endTime", Kind.INSTANT),
            *_text("url", optional=("url",)),
            _PROPERTIES,
        ),
        (
            Relation("Datastreams", "Datastream", True, back, holds=True),
            Relation("MultiDatastreams", "MultiDatastream", True, back, holds=True),
            Relation("ObservationGroups", "ObservationGroup", True, back, holds=True),
            Relation("Party", "Party", False, back),
            Relation("License", "License", False, back),
        ),
    )


_TYPES = (
    EntityType(
        "Thing",
        "Things",
        (*_text("name", "description"), _PROPERTIES),
        (
            Relation("Locations", "Location", True, "Things", holds=True),
            Relation("HistoricalLocations", "HistoricalLocation", True, "Thing"),
            Relation("Datastreams", "Datastream", True, "Thing"),
            Relation("MultiDatastreams", "MultiDatastream", True, "Thing"),
            Relation("TaskingCapabilities", "TaskingCapability", True, "Thing", quiet=True),
            Relation("Party", "Party", False, "Things", quiet=True),
        ),
    ),
    EntityType(
        "Location",
        "Locations",
        (
            *_text("name", "description", "encodingType"),
            Attribute("location", Kind.GEOMETRY, required=True),
            _PROPERTIES,
        ),
        (
            Relation("Things", "Thing", True, "Locations"),
            Relation("HistoricalLocations", "HistoricalLocation", True, "Locations"),
        ),
    ),
    EntityType(
        "HistoricalLocation",
        "HistoricalLocations",
        (Attribute("time", Kind.INSTANT, required=True),),
        (
            Relation("Thing", "Thing", False, "HistoricalLocations", required=True),
            Relation("Locations", "Location", True, "HistoricalLocations", required=True, holds=True),
        ),
    ),
    EntityType(
        "Datastream",
        "Datastreams",
        (
            *_text("name", "description", "observationType"),
            Attribute("unitOfMeasurement", Kind.OBJECT, required=True),
            *_EXTENTS,
            _PROPERTIES,
        ),
        (
            Relation("Thing", "Thing", False, "Datastreams", required=True),
            Relation("Sensor", "Sensor", False, "Datastreams", required=True),
            Relation("ObservedProperty", "ObservedProperty", False, "Datastreams", required=True),
            Relation("Observations", "Observation", True, "Datastream"),
            *_claims("Datastreams"),
            *_gathered("Datastreams"),
        ),
    ),
    EntityType(
        "MultiDatastream",
        "MultiDatastreams",
        (
            *_text("name", "description"),
            Attribute("observationType", Kind.STRING, required=True, choices=(OBSERVATION_TYPES["complex"],)),
            Attribute("multiObservationDataTypes", Kind.LIST, required=True),
            Attribute("unitOfMeasurements", Kind.LIST, required=True),
            *_EXTENTS,
            _PROPERTIES,
        ),
        (
            Relation("Thing", "Thing", False, "MultiDatastreams", required=True),
            Relation("Sensor", "Sensor", False, "MultiDatastreams", required=True),
            Relation(
                "ObservedProperties",
                "ObservedProperty",
                True,
                "MultiDatastreams",
                required=True,
                holds=True,
                ordered=True,
            ),
            Relation("Observations", "Observation", True, "MultiDatastream"),
            *_claims("MultiDatastreams"),
            *_gathered("MultiDatastreams"),
        ),
    ),
    EntityType(
        "Sensor",
        "Sensors",
        (*_text("name", "description", "encodingType"), Attribute("metadata", Kind.JSON, required=True), _PROPERTIES),
        (
            Relation("Datastreams", "Datastream", True, "Sensor"),
            Relation("MultiDatastreams", "MultiDatastream", True, "Sensor"),
        ),
    ),
    EntityType(
        "ObservedProperty",
        "ObservedProperties",
        (*_text("name", "definition", "description"), _PROPERTIES),
        (
            Relation("Datastreams", "Datastream", True, "ObservedProperty"),
            Relation("MultiDatastreams", "MultiDatastream", True, "ObservedProperties"),
        ),
    ),
    EntityType(
        "Observation",
        "Observations",
        (
            Attribute("phenomenonTime", Kind.INTERVAL, now=True),
            Attribute("resultTime", Kind.INSTANT),
            Attribute("result", Kind.RESULT, required=True),
            Attribute("resultQuality", Kind.JSON),
            Attribute("validTime", Kind.INTERVAL),
            Attribute("parameters", Kind.OBJECT),
        ),
        (
            Relation("Datastream", "Datastream", False, "Observations"),
            Relation("MultiDatastream", "MultiDatastream", False, "Observations"),
            Relation("FeatureOfInterest", "FeatureOfInterest", False, "Observations"),
            Relation("ObservationGroups", "ObservationGroup", True, "Observations", quiet=True),
            Relation("Objects", "Relation", True, "Subject", quiet=True),
            Relation("Subjects", "Relation", True, "Object", quiet=True),
        ),
        one_of=STREAMS,
    ),
    EntityType(
        "FeatureOfInterest",
        "FeaturesOfInterest",
        (
            *_text("name", "description", "encodingType"),
            Attribute("feature", Kind.GEOMETRY, required=True),
            _PROPERTIES,
        ),
        (Relation("Observations", "Observation", True, "FeatureOfInterest"),),
    ),
    # --- Tasking (17-079r1, clause 8) ---
    EntityType(
        "TaskingCapability",
        "TaskingCapabilities",
        (
            *_text("name", "description"),
            Attribute("taskingParameters", Kind.OBJECT, required=True, swe=True),
            _PROPERTIES,
        ),
        (
            Relation("Thing", "Thing", False, "TaskingCapabilities", required=True),
            Relation("Actuator", "Actuator", False, "TaskingCapabilities", required=True),
            Relation("Tasks", "Task", True, "TaskingCapability"),
        ),
    ),
    EntityType(
        "Task",
        "Tasks",
        (
            Attribute("taskingParameters", Kind.OBJECT, required=True),
            Attribute("creationTime", Kind.INSTANT, computed=True, now=True),
        ),
        (Relation("TaskingCapability", "TaskingCapability", False, "Tasks", required=True),),
    ),
    EntityType(
        "Actuator",
        "Actuators",
        (*_text("name", "description", "encodingType"), Attribute("metadata", Kind.JSON, required=True), _PROPERTIES),
        (Relation("TaskingCapabilities", "TaskingCapability", True, "Actuator"),),
    ),
    # --- STAplus (22-022r1) ---
    EntityType(
        "Party",
        "Parties",
        (
            *_text("description", "authId", "displayName", optional=("description", "authId", "displayName")),
            Attribute("role", Kind.STRING, required=True, choices=("individual", "institutional")),
        ),
        (
            Relation("Things", "Thing", True, "Party"),
            Relation("Datastreams", "Datastream", True, "Party"),
            Relation("MultiDatastreams", "MultiDatastream", True, "Party"),
            Relation("ObservationGroups", "ObservationGroup", True, "Party"),
            Relation("Campaigns", "Campaign", True, "Party"),
            Relation("Projects", "Project", True, "Party"),
        ),
    ),
    EntityType(
        "License",
        "Licenses",
        _text(
            "name",
            "description",
            "definition",
            "logo",
            "attributionText",
            optional=("description", "logo", "attributionText"),
        ),
        (
            Relation("Datastreams", "Datastream", True, "License"),
            Relation("MultiDatastreams", "MultiDatastream", True, "License"),
            Relation("ObservationGroups", "ObservationGroup", True, "License"),
            Relation("Campaigns", "Campaign", True, "License"),
            Relation("Projects", "Project", True, "License"),
        ),
    ),
    _undertaking("Campaign"),
    _undertaking("Project"),
    EntityType(
        "ObservationGroup",
        "ObservationGroups",
        (
            *_text("name", "description", "purpose", optional=("purpose",)),
            Attribute("creationTime", Kind.INSTANT, now=True),
            Attribute("endTime", Kind.INSTANT),
            *_text("termsOfUse", "privacyPolicy", optional=("termsOfUse", "privacyPolicy")),
            Attribute("dataQuality", Kind.OBJECT),
            _PROPERTIES,
        ),
        (
            Relation("Observations", "Observation", True, "ObservationGroups", holds=True),
            Relation("Relations", "Relation", True, "ObservationGroups", holds=True),
            Relation("Party", "Party", False, "ObservationGroups"),
            Relation("License", "License", False, "ObservationGroups"),
            *_gathered("ObservationGroups"),
        ),
    ),
    EntityType(
        "Relation",
        "Relations",
        (*_text("role", "description", "externalResource", optional=("description", "externalResource")), _PROPERTIES),
        (
            Relation("Subject", "Observation", False, "Objects", required=True),
            Relation("Object", "Observation", False, "Subjects"),
            Relation("ObservationGroups", "ObservationGroup", True, "Relations"),
        ),
        one_of=("Object", "externalResource"),
    ),
)

ENTITIES = MappingProxyType({t.name: t for t in _TYPES})
"""Entity types by name, e.g. ``Thing``."""
SETS = MappingProxyType({t.set_name: t for t in _TYPES})
"""Entity types by the name of their set, e.g. ``Things``."""
