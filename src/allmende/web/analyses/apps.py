"""Analyses as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from allmende.city.instruments import Instrument


class AnalysesConfig(AppConfig):
    """Statistics that everybody can read."""

    name = "allmende.web.analyses"
    label = "analyses"
    instrument = Instrument(
        title=_("Analyses"),
        summary=_("What is usual at which hour? Does one thing go with another? What did an event change?"),
        address="analyses:start",
        order=15,
    )

    def ready(self) -> None:
        """Make the kinds of tiles known."""
        from allmende.web.analyses import tiles
        from allmende.web.boards.kinds import register

        register(tiles.TypicalWeek(), tiles.Calendar())
