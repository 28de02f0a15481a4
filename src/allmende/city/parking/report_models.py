"""Reports of months that are over, as they were closed. They name nobody: who closed one anew stands in the
audit log."""

from django.db import models


class KeptReport(models.Model):
    """A month's report: an edition is never changed, closing a month anew makes the next one."""

    month = models.CharField(max_length=7)
    """``2026-11``."""
    edition = models.PositiveIntegerField(default=1)
    made = models.DateTimeField()
    lines = models.JSONField()
    """Of all car parks, also of those that not everybody may see."""
    left_out = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("month", "-edition")
        constraints = (models.UniqueConstraint(name="parking_report_edition", fields=("month", "edition")),)

    def __str__(self) -> str:
        return f"{self.month}, edition {self.edition}"
