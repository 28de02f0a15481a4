"""What the house remembers of each description: since when it is as it is, and what was measured."""

from django.db import models


class Description(models.Model):
    """A dataset that is or was described here. Times in microseconds, like the data's own."""

    dataset = models.CharField(max_length=100, primary_key=True)
    digest = models.CharField(max_length=64)
    """Of what the profile says of it."""
    title = models.JSONField(default=dict)
    public = models.BooleanField(default=False)
    """Whether everybody could know of it, and may be told that it is gone."""
    issued = models.BigIntegerField()
    changed = models.BigIntegerField()
    gone = models.BigIntegerField(null=True)
    farewell = models.JSONField(default=dict)
    """Why it is gone, by language, where whoever took it away said so."""
    quality = models.JSONField(null=True)
    editions = models.JSONField(default=list)
    """Each :class:`allmende.domain.editions.Edition` as plain data, the oldest first; what they said is kept apart."""

    def __str__(self) -> str:
        return self.dataset


class EditionBody(models.Model):
    """What an edition of a description said, as long as the house stands: its address is given out."""

    dataset = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    body = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["dataset", "number"], name="catalogue_edition_number"),)

    def __str__(self) -> str:
        return f"{self.dataset}, edition {self.number}"


class Pushed(models.Model):
    """A dataset as it was last handed to a hub."""

    hub = models.CharField(max_length=300)
    dataset = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    at = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["hub", "dataset"], name="one_state_of_a_dataset_at_a_hub"),)

    def __str__(self) -> str:
        return f"{self.hub}: {self.dataset}"
