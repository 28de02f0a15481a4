"""Messages to the operator as a Django app."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """The form that the accessibility statement leads to (BITV 2.0, section 7), and its list for the operator."""

    name = "allmende.web.feedback"
    label = "feedback"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.feedback.holdings import register_all

        register_all()
