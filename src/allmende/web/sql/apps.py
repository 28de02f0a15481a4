"""Questions in SQL as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from allmende.web.instruments import Instrument


class SqlConfig(AppConfig):
    """Ask the open history in SQL."""

    name = "allmende.web.sql"
    label = "sql"
    instrument = Instrument(
        title=_("Ask in SQL"),
        summary=_("Put your own question to all open data, see the answer as a table or chart, and take it with you."),
        address="sql:ask",
        order=80,
    )

    def ready(self) -> None:
        """Say what is held of people; make the tile known."""
        from allmende.web.boards.kinds import register
        from allmende.web.sql.holdings import register_all
        from allmende.web.sql.tiles import Query

        register_all()
        register(Query())
