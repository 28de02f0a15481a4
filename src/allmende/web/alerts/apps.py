"""The app of alerts."""

from collections.abc import Iterator

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from allmende.city.finding import Findable, Kind
from allmende.city.instruments import Instrument

_FOUND = 500
"""Alerts that the search knows of: the newest."""


def findable(request: HttpRequest) -> Iterator[Findable]:
    """What everybody is told: alerts that last, and those that are over. What is for the house alone is left out: the
    search keeps one index for all who have the same grants."""
    from allmende.domain.policy import ANONYMOUS
    from allmende.web.alerts.events import seen_by
    from allmende.web.alerts.show import row_of

    profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    for event in seen_by(profile, ANONYMOUS, public=True).order_by("-changed", "id")[:_FOUND]:
        row = row_of(event)
        about = f"{row['severity']}, {row['state']}. {row['description']}"
        yield Findable(event.pk, row["title"], reverse("alerts:alert", args=[event.pk]), about, event.thing_name)


class AlertsConfig(AppConfig):
    """What is raised, whom it is told, and who has seen to it."""

    name = "allmende.web.alerts"
    label = "alerts"
    instrument = Instrument(
        title=_("Alerts"),
        summary=_("What is out of the ordinary now: high water, frost, full car parks. And what was before."),
        address="alerts:list",
        order=40,
    )

    finds = (Kind("alerts", _("Alerts"), findable, order=44),)

    def ready(self) -> None:
        """Say what is held of people; make the tile known."""
        from allmende.web.alerts.holdings import register_all
        from allmende.web.alerts.tile import Alerts
        from allmende.web.boards.kinds import register

        register_all()
        register(Alerts())
