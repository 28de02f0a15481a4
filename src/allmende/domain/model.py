"""The data model of the measured world: the entities of OGC SensorThings 1.1 (18-088, clause 8), as a table.

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
)

ENTITIES = MappingProxyType({t.name: t for t in _TYPES})
"""Entity types by name, e.g. ``Thing``."""
SETS = MappingProxyType({t.set_name: t for t in _TYPES})
"""Entity types by the name of their set, e.g. ``Things``."""
