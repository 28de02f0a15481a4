"""Parking: where is a free space now."""

from allmende.domain.service import Service

SERVICE = Service(
    name="parking",
    prefix="parking/",
    app="allmende.city.parking",
    shared=("*.json", "api/*"),
    deeds={"parking.report": "editor", "parking.operate": "editor"},
    settings={"kind": "car-park", "dataset": "parking-guidance", "datasets": ["parking-guidance"], "tables": {}},
    check="allmende.city.parking.checking:check",
)
