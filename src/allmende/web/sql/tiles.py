"""A published question as a tile of dashboards and a block of stories: its chart and the first rows of its answer."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from allmende.domain.boards import Tile
from allmende.domain.errors import AllmendeError
from allmende.web.boards.kinds import Kind, TileForm
from allmende.web.boards.words import say
from allmende.web.house import open_profile
from allmende.web.sql.asking import HOUSE, ask
from allmende.web.sql.models import SavedQuery
from allmende.web.sql.showing import shown

_ROWS = 12


class QueryForm(TileForm):
    """Of a published question."""

    query = forms.ChoiceField(label=_("Published question"))
    table = forms.BooleanField(label=_("Show the table, not the chart alone"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = SavedQuery.objects.filter(published=True).values_list("slug", "title")
        self.fields["query"].choices = list(choices)  # type: ignore[attr-defined]


class Query(Kind):
    """A published question. It tells of open data alone, so that everybody who sees the board may see it."""

    name = "query"
    title = _("Answer to a question in SQL")
    summary = _("A published question: its chart, or the first rows of its answer.")
    form = QueryForm
    order = 70

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if settings.get("query") else "names no published question"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        kept = SavedQuery.objects.filter(slug=str(tile.settings.get("query", "")), published=True).first()
        said: dict[str, Any] = {"kept": kept, "title": say(tile.title)}
        if kept is not None:
            try:
                said |= shown(ask(kept.text, HOUSE, open_profile()), kept.chart, 1, open_profile())
            except AllmendeError:
                said["kept"] = None  # the question's page says why
        said["few"] = said.get("rows", [])[:_ROWS]
        said["table"] = tile.settings.get("table") or not said.get("chart")
        return render_to_string("sql/tile.html", said, request)
