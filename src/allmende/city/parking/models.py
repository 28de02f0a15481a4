"""The paperwork of parking, gathered from its parts for Django."""

from allmende.city.parking.signs.models import SignKept, SignMessage, SignReport, SignToken

__all__ = ["SignKept", "SignMessage", "SignReport", "SignToken"]
