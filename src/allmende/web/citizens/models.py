"""Own sensors, as their givers registered them.

Beside each field of personal data stand its purpose and when it is deleted; docs/reference/personal-data.md says the
same to the public, and a test holds the two together.
"""

import secrets
from typing import Any

from django.db import models
from django.utils import timezone

from allmende.domain.coarsening import Place
from allmende.domain.records import Position
from allmende.web.accounts.models import Token, User
from allmende.web.ordered import OrderedJSONField

WAITING, RETURNED, OPEN, BLOCKED = "waiting", "returned", "open", "blocked"
DELETE, LEAVE = "delete", "leave"
PREFIX = "own-"
"""Ids of sources, datasets and tokens of own sensors begin so."""
LICENCES = {"CC0-1.0": "CC0 1.0", "dl-de/by-2-0": "dl-de/by-2-0"}


def _handle() -> str:
    return secrets.token_hex(8)


class OwnSensor(models.Model):
    """A sensor that somebody gives.

    Personal data, deleted with the sensor; all but ``name`` and the place also when the person leaves the readings to
    the city, and ``name`` is then replaced:

    - ``user``: whose it is; shown to nobody but those who review.
    - ``name``, ``description``: what the giver calls it and says of it; shown to all once it was released.
    - ``shown_name``: who is named as the giver; empty unless they want to be named.
    - ``lon``, ``lat``, ``district``: the place as coarse as the giver chose; the place itself is never kept.
    - ``told_silent``: so that the giver is told only once that the sensor is silent.
    """

    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="own_sensors")
    handle = models.CharField(max_length=16, unique=True, default=_handle, editable=False)
    """Stands in the audit log in place of the number, so that nothing there leads from a person to readings once the
    person has left them behind."""
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=500, blank=True)
    shown_name = models.CharField(max_length=100, blank=True)
    licence = models.CharField(max_length=20)
    indoor = models.BooleanField(default=False)
    measures = OrderedJSONField(default=dict)
    """By the name that is sent: ``{}`` for one of the vocabulary, else ``name``, ``unit``, ``low``, ``high``."""
    precision = models.CharField(max_length=10)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    district = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, default=WAITING, db_index=True)
    note = models.CharField(max_length=1000, blank=True)
    """What the one who reviewed it asks for."""
    paused = models.BooleanField(default=False)
    afterwards = models.CharField(max_length=10, default=DELETE)
    """What becomes of it with the account: DELETE or LEAVE."""
    token = models.OneToOneField(Token, on_delete=models.SET_NULL, null=True, related_name="own_sensor")
    created = models.DateTimeField(default=timezone.now)
    last_received = models.DateTimeField(null=True)
    told_silent = models.DateTimeField(null=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.id_

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write; a sensor without a licence is refused."""
        if self.licence not in LICENCES:
            raise ValueError(f"{self.licence!r} is none of {', '.join(LICENCES)}")
        super().save(*args, **kwargs)

    @property
    def id_(self) -> str:
        """The id of its source, its dataset and its thing."""
        return f"{PREFIX}{self.pk}"

    @property
    def place(self) -> Place:
        """Where it is shown."""
        position = None if self.lon is None or self.lat is None else Position(self.lon, self.lat)
        return Place(precision=self.precision, position=position, district=self.district)  # type: ignore[arg-type]

    @place.setter
    def place(self, place: Place) -> None:
        position = place.position
        self.precision, self.district = place.precision, place.district
        self.lon, self.lat = (position.lon, position.lat) if position else (None, None)

    @property
    def takes(self) -> bool:
        """Whether readings are taken now."""
        return self.state != BLOCKED and not self.paused
