"""What somebody is making a source of. Beside each field of personal data stand its purpose and when it is deleted;
docs/reference/personal-data.md says the same to the public."""

import secrets
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import models
from django.utils import timezone

from allmende.domain.recognition.model import Plan, Recognition
from allmende.web.ordered import OrderedJSONField

DRAFT, PROPOSED, RUNNING, DONE, FAILED = "draft", "proposed", "running", "done", "failed"


def new_key() -> str:
    """A word that nobody guesses: a part of the address, and the file's name."""
    return secrets.token_hex(12)


def _storable(value: Any) -> Any:
    """Plain data without the sign that PostgreSQL keeps in no text: NUL, which JSON of strangers may hold."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list | tuple) else value


class Making(models.Model):
    """A source that somebody is making, to be gone on with at any time.

    Personal data, deleted with the account, and ALLMENDE_MAKING_DAYS after the last change:

    - ``user``: whose it is, so that they alone go on with it.
    - ``name``, ``address``: what the file is called and where it was found; the file itself goes with the rest, and at
      once when it was taken in. It may hold what the person chose to bring.
    """

    key = models.CharField(max_length=24, primary_key=True, default=new_key)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(default=timezone.now, db_index=True)
    name = models.CharField(max_length=255)
    address = models.CharField(max_length=2000, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    chosen = OrderedJSONField(default=dict)
    """What was chosen of several: ``sheet``, ``layer``."""
    found = OrderedJSONField(default=dict)
    """The :class:`Recognition`."""
    planned = OrderedJSONField(default=dict)
    """The :class:`Plan` as the person changed it; empty where nothing reads it."""
    about = OrderedJSONField(default=dict)
    """The source's ``id``, titles, dataset; ``mode`` (``once``, ``schedule``) and ``interval``."""
    state = models.CharField(max_length=10, default=DRAFT)
    report = models.JSONField(default=dict)
    """How far it was taken in: counts, ``share`` of the file, ``error``."""

    class Meta:
        ordering = ("-changed",)

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"

    @property
    def bundle(self) -> str:
        """What is proposed of it goes together."""
        return f"making:{self.key}"

    @property
    def recognition(self) -> Recognition:
        return msgspec.convert(self.found, Recognition)

    @property
    def plan(self) -> Plan | None:
        return msgspec.convert(self.planned, Plan) if self.planned else None

    @plan.setter
    def plan(self, plan: Plan | None) -> None:
        self.planned = {} if plan is None else msgspec.to_builtins(plan)

    def take(self, known: Recognition) -> None:
        """Begin anew with what something was recognised as."""
        self.found = _storable(msgspec.to_builtins(known))
        self.planned = self.found["plan"] or {}

    def touch(self, **fields: Any) -> None:
        """Save; its time begins anew."""
        for name, value in fields.items():
            setattr(self, name, value)
        self.changed = timezone.now()
        self.save()

    @classmethod
    def over(cls, days: float) -> models.QuerySet["Making"]:
        """Those whose time is over."""
        return cls.objects.filter(changed__lt=timezone.now() - timedelta(days=days)).exclude(state=RUNNING)
