"""The kinds of tiles. Whoever has something to show registers a kind, from its app's ``ready``::

    class Alerts(Kind):
        name = "alerts"
        title = _("Alerts")
        summary = _("What is the matter in the city now.")
        form = AlertsForm                    # fields of the tile's settings; plain JSON comes out of it

        def reads(self, tile):               # by what it is decided who sees the tile at all
            return Reads(datasets=tuple(tile.settings.get("datasets", ())))

        def render(self, request, tile):     # asked for those who may see it; asks the store as request.house.reader
            return render_to_string("alerts/tile.html", {…}, request)

    register(Alerts())

A tile has a sentence, a chart and a table: whoever hears it, sees it or copies it has the same. Its heading, which is
the tile's title, is drawn by the board around it. The same kinds are the live blocks of stories.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise

from allmende.domain.boards import Tile


class Reads(NamedTuple):
    """What a tile tells of, by ids.

    Somebody sees the tile, its title and its texts, only if they may read every one of ``datasets``, and see every one
    of ``streams``. With datasets named, streams that are not there (yet) hide nothing: then the tile says so.
    """

    streams: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


class TileForm(forms.Form):
    """The fields of one kind's settings. Its cleaned data, as plain JSON, are kept as the tile's settings.

    ``request`` is that of the person who composes: what they may not see they cannot choose.
    """

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def settings(self) -> dict[str, Any]:
        """What is kept; called once the form is valid. Empty fields are left out."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [], False)}


class Kind:
    """A kind of tile. ``title`` and ``summary`` are shown where somebody adds one, translated lazily."""

    name: str = ""
    title: str | Promise = ""
    summary: str | Promise = ""
    form: type[TileForm] = TileForm
    order: int = 100
    headed: bool = False
    """Whether what it renders has the tile's title as its heading (of the second level) already."""
    reloads: bool = False
    """Whether it fetches its values by itself: an open page keeps it as long as its settings are the same, and sends
    its ``[data-series]`` the event ``allmende:reload``."""

    def reads(self, tile: Tile) -> Reads:
        """By default the ids in ``streams`` and ``datasets`` of its settings."""
        return Reads(listed(tile.settings, "streams"), listed(tile.settings, "datasets"))

    def texts(self, tile: Tile) -> Iterable[str]:
        """Free texts in its settings: they are looked through for names of what is not open before a board is opened
        to all. The title is looked at anyway."""
        return (value for value in tile.settings.values() if isinstance(value, str))

    def check(self, settings: Mapping[str, Any]) -> str:
        """What is wrong with settings that no form made (of a profile, of a story), in English; "" for nothing."""
        return ""

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """The tile's body as HTML that is safe, for somebody who may see all that it reads."""
        raise NotImplementedError


def listed(settings: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts in settings, or one text alone; whatever else stands there is nothing."""
    value = settings.get(name, ())
    value = [value] if isinstance(value, str) else value
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list | tuple) else ()


_KINDS: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Make kinds known. Raises ValueError for a name that is taken by another one."""
    for kind in kinds:
        if _KINDS.get(kind.name, kind) is not kind:
            raise ValueError(f"there is a kind of tile {kind.name!r} already")
        _KINDS[kind.name] = kind


def find(name: str) -> Kind | None:
    """The kind of that name."""
    return _KINDS.get(name)


def all_kinds() -> list[Kind]:
    """In the order in which they are offered."""
    return sorted(_KINDS.values(), key=lambda kind: (kind.order, kind.name))
