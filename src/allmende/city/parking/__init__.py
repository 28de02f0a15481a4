"""Parking: where is a free space now."""

from allmende.domain.service import Service

SERVICE = Service(
    name="parking",
    prefix="parking/",
    app="allmende.city.parking",
    deeds={
        "parking.report": "editor",
        "parking.operate": "editor",
        "parking.price": "editor",
        "parking.arrange": "steward",
    },
    shared=("*.json", "api/*"),
    settings={
        "kind": "car-park",
        "dataset": "parking-guidance",
        "datasets": ["parking-guidance"],
        "tables": {},
        "plausibility": {},
        "datex": {},
        "report_sites": 100,
        "report_closes": 7,
    },
    check="allmende.city.parking.checking:check",
)
