"""Dashboards as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import pre_delete
from django.utils.translation import gettext_lazy as _

from allmende.web.instruments import Instrument


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

    def ready(self) -> None:
        """Make the house's own kinds known; be told of accounts that are deleted; say what is held of people."""
        from allmende.web.accounts.models import User
        from allmende.web.boards import charts, tiles
        from allmende.web.boards.holdings import register_all
        from allmende.web.boards.keeping import leave_with_account
        from allmende.web.boards.kinds import register

        register(
            tiles.Text(),
            tiles.Value(),
            charts.Series(),
            tiles.Table(),
            tiles.Objects(),
            tiles.LateSources(),
            tiles.Link(),
        )
        register_all()
        pre_delete.connect(leave_with_account, sender=User, dispatch_uid="boards")
