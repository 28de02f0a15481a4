"""Requirements of 18-088 that hold, by their URI, their classes where all of a class do, and extensions of
FROST-Server's. One stands here only when it holds whole.

What does not, yet or on purpose:

- ``observation/relations``: an observation without a feature of interest is kept where nobody knows the place
  (decision 19).
- ``built-in-query-functions``: all of them are built, but on PostgreSQL the spatial ones need PostGIS, else 501.
"""

_BASE = "http://www.opengis.net/spec/iot_sensing/1.1/req"
_TASKING = "http://www.opengis.net/spec/iot_tasking/1.0/req"
_PLUS = "http://www.opengis.net/spec/sensorthings-staplus/1.0/conf"
_MODEL = {
    "thing": ("properties", "relations"),
    "location": ("properties", "relations"),
    "historical-location": ("properties", "relations"),
    "datastream": ("properties", "relations"),
    "sensor": ("properties", "relations"),
    "observed-property": ("properties", "relations"),
    "observation": ("properties",),
    "feature-of-interest": ("properties", "relations"),
    "entity-control-information": ("common-control-information",),
}

CONFORMANCE = (
    *(f"{_BASE}/datamodel/{entity}/{part}" for entity, parts in _MODEL.items() for part in parts),
    *(f"{_BASE}/datamodel/{entity}" for entity in _MODEL if entity != "observation"),
    *(
        f"{_BASE}/{name}"
        for name in ("multi-datastream", "resource-path", "create-update-delete", "batch-request", "data-array")
    ),
    *(f"{_BASE}/multi-datastream/{part}" for part in ("properties", "relations", "constraints")),
    *(
        f"{_TASKING}/{entity}/{part}"
        for entity in ("tasking-capability", "task", "actuator")
        for part in ("properties", "relations")
    ),
    f"{_TASKING}/create-tasks/task-creation",
    *(f"{_PLUS}/{part}" for part in ("core", "create", "update", "delete")),
    f"{_BASE}/resource-path/resource-path-to-entities",
    *(
        f"{_BASE}/request-data/{name}"
        for name in (
            "status-code", "query-status-code", "order", "expand", "select", "orderby", "top", "skip", "count",
            "pagination", "filter", "built-in-filter-operations",
        )
    ),
    *(
        f"{_BASE}/create-update-delete/{name}"
        for name in (
            "create-entity", "link-to-existing-entities", "deep-insert", "deep-insert-status-code", "update-entity",
            "update-entity-put",
            "update-entity-jsonpatch", "delete-entity", "historical-location-auto-creation",
            "historical-location-manual-creation",
        )
    ),
    f"{_BASE}/batch-request/batch-request",
    f"{_BASE}/data-array/data-array",
    "https://github.com/INSIDE-information-systems/SensorThingsAPI/blob/master/CSV-ResultFormat/CSV-ResultFormat.md",
    "https://fraunhoferiosb.github.io/FROST-Server/extensions/GeoJSON-ResultFormat.html",
    "https://fraunhoferiosb.github.io/FROST-Server/extensions/DeepSelect.html",
    "https://fraunhoferiosb.github.io/FROST-Server/extensions/FilteredDelete.html",
)  # fmt: skip

MQTT_CREATING = (f"{_BASE}/create-observations-via-mqtt/observations-creation",)
MQTT_READING = (f"{_BASE}/receive-updates-via-mqtt/receive-updates",)
"""Hold where there is a broker; its addresses stand beside them."""
