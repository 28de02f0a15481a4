"""Finds entries of the audit log."""

from datetime import datetime

from django.db.models import Q

from allmende.web.accounts.models import AuditEntries, AuditEntry


def fitting(
    *,
    actor: str = "",
    action: str = "",
    object_: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> AuditEntries:
    """The newest first. ``action`` is one, or the first word of several (``grant`` for ``grant.give``); ``since`` and
    ``until`` are aware, the end is not included. What is empty asks for nothing."""
    found: AuditEntries = AuditEntry.objects.all()
    if actor:
        found = found.filter(actor=actor)
    if action:
        found = found.filter(Q(action=action) | Q(action__startswith=f"{action.rstrip('.')}."))
    if object_:
        found = found.filter(object=object_)
    if since is not None:
        found = found.filter(at__gte=since)
    if until is not None:
        found = found.filter(at__lt=until)
    return found.order_by("-id")
