"""Parking: where is a free space now."""

from allmende.domain.service import Service

SERVICE = Service(
    name="parking",
    prefix="parking/",
    app="allmende.city.parking",
    shared=("*.json",),
<<<<<<< HEAD
    settings={"kind": "car-park", "dataset": "parking-guidance", "datasets": ["parking-guidance"], "tables": {}},
=======
    deeds={"parking.report": "editor"},
>>>>>>> main
)
