"""Dashboards as a Django app."""

from collections.abc import Iterator

from django.apps import AppConfig
from django.db.models.signals import pre_delete
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from allmende.city.finding import Findable, Kind
from allmende.city.instruments import Instrument


def findable(request: HttpRequest) -> Iterator[Findable]:
    """Every board that is published for all, with the headings of the tiles that whoever asks may see. What is for an
    organisation or a role is left out: the search keeps one index for all who have the same grants."""
    from allmende.web.boards.models import PUBLIC
    from allmende.web.boards.seeing import list_boards, trimmed
    from allmende.web.boards.words import say

    for name, content, audience in list_boards(request):
        if audience != PUBLIC:
            continue
        headings = " ".join(say(tile.title) for tile in trimmed(request, content).tiles)
        address = reverse("boards:board", args=[name])
        yield Findable(name, say(content.title), address, say(content.description), headings)


class BoardsConfig(AppConfig):
    """Boards, their kinds of tiles, and the wall screen."""

    name = "allmende.web.boards"
    label = "boards"
    instrument = Instrument(
        title=_("Dashboards"),
        summary=_("What matters today on one page. Put together what you want to see, for yourself or for all."),
        address="boards:list",
        order=30,
    )

    finds = (Kind("boards", _("Dashboards"), findable, order=36),)

    def ready(self) -> None:
        """Make the house's own kinds known; be told of accounts that are deleted; say what is held of people."""
        from allmende.web.accounts.models import User
        from allmende.web.boards import charts, places, tiles
        from allmende.web.boards.holdings import register_all
        from allmende.web.boards.keeping import leave_with_account
        from allmende.web.boards.kinds import register

        register(
            tiles.Text(),
            tiles.Value(),
            charts.Series(),
            tiles.Table(),
            places.Places(),
            tiles.Objects(),
            tiles.LateSources(),
            tiles.Link(),
        )
        register_all()
        pre_delete.connect(leave_with_account, sender=User, dispatch_uid="boards")
