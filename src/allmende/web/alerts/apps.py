"""The app of alerts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from allmende.city.instruments import Instrument


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

    def ready(self) -> None:
        """Say what is held of people; make the tile known."""
        from allmende.web.alerts.holdings import register_all
        from allmende.web.alerts.tile import Alerts
        from allmende.web.boards.kinds import register

        register_all()
        register(Alerts())
