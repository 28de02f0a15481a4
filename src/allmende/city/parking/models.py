"""The paperwork of parking, gathered from its parts for Django."""

from allmende.city.parking.operating.models import (
    Calibration,
    ChosenFact,
    Closure,
    Desk,
    Doubt,
    Event,
    Lease,
    Override,
)

__all__ = ["Calibration", "ChosenFact", "Closure", "Desk", "Doubt", "Event", "Lease", "Override"]
