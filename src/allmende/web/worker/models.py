"""Leases: who does a work that only one process may do."""

from django.db import models


class Lease(models.Model):
    """A right for a time. ``holder`` is made anew by each process; host and process id tell an operator who it is."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=64)
    host = models.CharField(max_length=255)
    process = models.PositiveBigIntegerField()
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.host}/{self.process} until {self.expires:%H:%M:%S}"
