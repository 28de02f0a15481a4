"""What was taken over of other catalogues. Times in microseconds, like the data's own."""

from django.db import models


class Harvested(models.Model):
    """A dataset of another catalogue."""

    dataset = models.CharField(max_length=100, primary_key=True)
    """Our id, which is made of the harvest's and the dataset's there: the same after a loss of the database."""
    harvest = models.CharField(max_length=60, db_index=True)
    key = models.TextField()
    node = models.TextField()
    digest = models.CharField(max_length=64)
    names = models.JSONField(default=list)
    said = models.JSONField(default=dict)
    page = models.TextField(default="")
    lines = models.BinaryField()
    """zlib: N-Triples compress to a tenth."""
    source = models.BinaryField(default=b"")
    name = models.TextField(default="")
    """CKAN's name of it there."""
    first = models.BigIntegerField()
    changed = models.BigIntegerField()
    seen = models.BigIntegerField()
    """When the pass began in which it was last met."""
    gone = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.harvest}: {self.key}"


class Page(models.Model):
    """A page of another catalogue as it was last met, so that it is asked for only where it is another one."""

    id = models.CharField(max_length=100, primary_key=True)
    harvest = models.CharField(max_length=60, db_index=True)
    address = models.TextField()
    signs = models.JSONField(default=dict)
    next = models.TextField(default="")
    total = models.BigIntegerField(null=True)
    members = models.IntegerField(default=0)
    datasets = models.JSONField(default=list)
    """Our ids of what it held."""
    rest = models.BinaryField(default=b"")
    """zlib: what it said beside its datasets."""
    seen = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.harvest}: {self.address}"


class State(models.Model):
    """How a harvest fares."""

    harvest = models.CharField(max_length=60, primary_key=True)
    kind = models.CharField(max_length=20, default="")
    """What speaks there, where the profile does not say."""
    settings = models.CharField(max_length=64, default="")
    """Digest of what the profile asked for: where that changes, all is read anew."""
    tried = models.BigIntegerField(null=True)
    succeeded = models.BigIntegerField(null=True)
    complete = models.BigIntegerField(null=True)
    """When the last pass over all of it began."""
    newest = models.CharField(max_length=40, default="")
    """CKAN: the newest change that was seen, as CKAN writes times."""
    error = models.TextField(default="")
    failures = models.IntegerField(default=0)
    counts = models.JSONField(default=dict)
    """Of the last pass that came to its end: new, changed, unchanged, withdrawn, own, refused."""
    faults = models.JSONField(default=list)
    """What could not be kept of it, in words; the first ones."""
    held = models.IntegerField(default=0)
    """How many datasets vanished that are kept until somebody confirms it."""
    version = models.BigIntegerField(default=0)
    """Another one whenever a dataset of it is another."""

    def __str__(self) -> str:
        return self.harvest
