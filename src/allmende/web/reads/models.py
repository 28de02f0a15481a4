"""Notes of reads. docs/reference/personal-data.md says the same of their personal data to the public."""

from django.db import models


class ReadNote(models.Model):
    """Somebody was told of one dataset that is not open, within one hour; until the hour is in the audit log.

    Personal data, deleted by the worker when the hour is over and stands in the audit log:

    - ``reader``: ``user:<name>`` or ``token:<name>``, so that whom the data are about can be told who received them.
    """

    reader = models.CharField(max_length=200)
    dataset = models.CharField(max_length=200)
    hour = models.DateTimeField(db_index=True)
    """Its beginning."""
    answers = models.PositiveBigIntegerField(default=0)
    """How many answers held something of it; what was counted in memory last is not in it yet."""
    conditions = models.PositiveBigIntegerField(default=0)
    """How many answers hung on conditions, orders or sums that may have looked into it."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("reader", "dataset", "hour"), name="one_note_an_hour"),)

    def __str__(self) -> str:
        return f"{self.reader} {self.dataset} {self.hour:%Y-%m-%d %H}"
