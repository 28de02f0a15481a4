"""The app of alerts."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """What is raised, whom it is told, and who has seen to it."""

    name = "allmende.web.alerts"
    label = "alerts"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.alerts.holdings import register_all

        register_all()
