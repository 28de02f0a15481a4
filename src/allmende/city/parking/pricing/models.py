"""Tariffs that were entered in the browser. Nothing is deleted: what is given up says so.

Personal data, without the person's name once their account is deleted, and a year after the last step;
docs/reference/personal-data.md says the same to the public:

- ``made_by``, ``proposed_by``, ``settled_by``: who wrote, who proposed, who released or gave up, so that others
  can ask back.
"""

from typing import Any

from django.conf import settings
from django.db import models


def _who() -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )


class EnteredTariff(models.Model):
    """One version of a plan, from draft to release. ``body`` has the keys of a version in ``tariffs.toml``."""

    DRAFT, PROPOSED, RELEASED, WITHDRAWN = "draft", "proposed", "released", "withdrawn"
    plan = models.CharField(max_length=100)
    name_de = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200)
    body = models.JSONField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    sites = models.JSONField(default=list)
    """Ids of real sites of which it says that this plan holds there, from its release on."""
    state = models.CharField(max_length=10, default=DRAFT)
    version = models.PositiveIntegerField(default=1)
    """Counts each change, so that of two people the second sees what the first has done."""
    answer = models.CharField(max_length=500, blank=True)
    """Why it was given back or given up."""
    made = models.DateTimeField()
    changed = models.DateTimeField()
    released = models.DateTimeField(null=True, blank=True)
    made_by = _who()
    proposed_by = _who()
    settled_by = _who()

    class Meta:
        ordering = ("-valid_from", "-pk")

    def __str__(self) -> str:
        return f"{self.plan} from {self.valid_from}: {self.state}"
