"""Questions in SQL as a Django app."""

from collections.abc import Iterator

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from allmende.city.finding import Findable, Kind
from allmende.city.instruments import Instrument


def findable(_request: HttpRequest) -> Iterator[Findable]:
    """Questions that were published, by their titles and what is said of them; they are for everybody."""
    from allmende.web.sql.models import SavedQuery

    for kept in SavedQuery.objects.filter(published=True):
        yield Findable(kept.slug or kept.key, kept.title, reverse("sql:published", args=[kept.slug]), kept.description)


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
    finds = (Kind("questions", _("Published questions"), findable, order=38),)

    def ready(self) -> None:
        """Say what is held of people; make the tile known."""
        from allmende.web.boards.kinds import register
        from allmende.web.sql.holdings import register_all
        from allmende.web.sql.tiles import Query

        register_all()
        register(Query())
