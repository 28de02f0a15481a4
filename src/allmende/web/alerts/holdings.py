"""What is held of somebody in alerts: that they acknowledged or silenced one."""

from django.utils.translation import gettext_lazy as _

from allmende.domain.holdings import register
from allmende.web.accounts.rows import Rows
from allmende.web.alerts.models import Event, Silence


def register_all() -> None:
    """Those of this app."""
    register(
        Rows(
            Event, place="alerts", title=_("Alerts that the person acknowledged"), fate=_("their name goes"), order=30,
            by=("acknowledged_by",), told=("id", "acknowledged_at", "acknowledged_how"), sections=("Alerts",),
            erasure="unname",
        )
    )  # fmt: skip
    register(
        Rows(
            Silence, place="silences", title=_("Alerts that the person silenced"), fate=_("is deleted"), order=30,
            by=("user",), also=("reason",), told=("alert", "key", "begun", "until", "reason"), sections=("Alerts",),
            erasure="delete",
        )
    )  # fmt: skip
