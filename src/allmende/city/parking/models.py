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
from allmende.city.parking.pricing.models import EnteredTariff
from allmende.city.parking.report_models import KeptReport
from allmende.city.parking.signs.models import SignKept, SignMessage, SignToken

__all__ = [
    "Calibration",
    "ChosenFact",
    "Closure",
    "Desk",
    "Doubt",
    "EnteredTariff",
    "Event",
    "KeptReport",
    "Lease",
    "Override",
    "SignKept",
    "SignMessage",
    "SignToken",
]
