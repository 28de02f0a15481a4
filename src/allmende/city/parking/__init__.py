"""Parking: where is a free space now."""

from allmende.domain.service import Service

SERVICE = Service(
    name="parking",
    prefix="parking/",
    app="allmende.city.parking",
    shared=("*.json", "api/*"),
    deeds={"parking.report": "editor", "parking.operate": "editor"},
    check="allmende.city.parking.checking:check",
)
