"""Parking: where is a free space now."""

from allmende.domain.service import Service

SERVICE = Service(
    name="parking",
    prefix="parking/",
    app="allmende.city.parking",
    deeds={"parking.report": "editor", "parking.operate": "editor", "parking.arrange": "steward"},
    settings={"plausibility": {}},
    shared=("*.json", "api/*"),
    check="allmende.city.parking.tariffs_file:tariffs_of",
)
