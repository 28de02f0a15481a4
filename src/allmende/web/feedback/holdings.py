"""What is held of somebody in messages: they are known by the address that they left."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import Subject, register
from allmende.web.accounts.rows import Rows
from allmende.web.feedback.models import Message


class Messages(Rows):
    """By e-mail address. A message without one leads to nobody."""

    def rows(self, subject: Subject) -> models.QuerySet[Message]:
        """Those of the person's addresses."""
        if not subject.emails:
            return Message.objects.none()
        return Message.objects.annotate(lower=Lower("email")).filter(lower__in=subject.emails)


def register_all() -> None:
    """Those of this app."""
    register(
        Messages(
            Message, place="messages", title=_("Messages to the operator"), fate=_("is deleted"), order=50, by=(),
            also=("text", "email"), told=("at", "kind", "page", "text", "email", "settled"),
            sections=("Messages to the operator",), erasure="delete",
        )
    )  # fmt: skip
