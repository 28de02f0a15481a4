"""Writes the audit log."""

from typing import Any

from structlog.contextvars import get_contextvars


def record(actor: str, action: str, object: str = "", /, **detail: Any) -> None:
    """Note who did what to what, in the transaction that is open; the request's id comes by itself.

    ``detail`` is plain JSON without passwords, secrets or addresses.
    """
    from allmende.web.accounts.models import AuditEntry

    AuditEntry.objects.create(
        actor=actor[:200],
        action=action,
        object=object[:300],
        detail=detail,
        request_id=str(get_contextvars().get("request_id", ""))[:64],
    )
