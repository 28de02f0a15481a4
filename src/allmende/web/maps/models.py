"""The register of addresses as the operator imported it. It names houses, not people, and holds nothing of anybody."""

from django.db import models
from django.utils import timezone


class Register(models.Model):
    """What is known of the register that holds; there is one at most, and a new one has a new number."""

    imported = models.DateTimeField(default=timezone.now)
    file = models.CharField(max_length=300)
    source = models.CharField(max_length=500)
    """Who made it, as it has to be named."""
    licence = models.CharField(max_length=300)
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.file}: {self.count}"


class Address(models.Model):
    """A house with its place in degrees (EPSG:4326)."""

    street = models.CharField(max_length=200)
    number = models.CharField(max_length=20)
    postcode = models.CharField(max_length=20, blank=True)
    place = models.CharField(max_length=200, blank=True)
    """A village or district that tells streets of one name apart."""
    lon = models.FloatField()
    lat = models.FloatField()

    def __str__(self) -> str:
        return f"{self.street} {self.number}"
