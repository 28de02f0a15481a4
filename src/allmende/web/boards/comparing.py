"""What is different between two states of a board, in words."""

from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from allmende.domain.boards import BoardContent, Tile
from allmende.web.boards.kinds import find
from allmende.web.boards.words import say


class Difference(NamedTuple):
    """One thing that is different. ``before`` or ``after`` is "" where there was, or is, nothing."""

    what: str
    before: str
    after: str


def compare(before: BoardContent, after: BoardContent) -> list[Difference]:
    """From one to the other: texts, tiles that went and came, what was changed of those that stayed, their order."""
    return list(_compare(before, after))


def _compare(before: BoardContent, after: BoardContent) -> Iterator[Difference]:
    for what, one, other in (
        (_("Title"), before.title, after.title),
        (_("Description"), before.description, after.description),
    ):
        if one != other:
            yield Difference(what, say(one), say(other))
    old, new = ({tile.id: tile for tile in content.tiles} for content in (before, after))
    for id_, tile in old.items():
        if id_ not in new:
            yield Difference(_("Tile removed"), _name(tile), "")
    for id_, tile in new.items():
        if id_ not in old:
            yield Difference(_("Tile added"), "", _name(tile))
        elif tile != old[id_]:
            yield from _changed(old[id_], tile)
    stayed = [tile.id for tile in before.tiles if tile.id in new]
    order = [tile.id for tile in after.tiles if tile.id in old]
    if stayed != order:
        yield Difference(
            _("Order"), ", ".join(_name(old[id_]) for id_ in stayed), ", ".join(_name(new[id_]) for id_ in order)
        )


def _changed(old: Tile, new: Tile) -> Iterator[Difference]:
    if old.title != new.title:
        yield Difference(_("Heading of a tile"), say(old.title), say(new.title))
    if old.width != new.width:
        yield Difference(_("Width of “%(name)s”") % {"name": _name(new)}, str(old.width), str(new.width))
    for key in sorted({*old.settings, *new.settings}):
        one, other = old.settings.get(key), new.settings.get(key)
        if one != other:
            what = _("“%(name)s”: %(key)s") % {"name": _name(new), "key": key}
            yield Difference(what, _plain(one), _plain(other))


def _name(tile: Tile) -> str:
    kind = find(tile.kind)
    return say(tile.title) or str(kind.title if kind else tile.kind)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
