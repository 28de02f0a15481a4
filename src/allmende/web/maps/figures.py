"""A district in figures: how many things of a layer are there, and the lowest, the mean and the highest of a value."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from django.utils.translation import gettext as _

from allmende.web.maps.items import Item, with_unit
from allmende.web.maps.scene import Laid


class Figure(NamedTuple):
    """Of one layer. ``count`` is None where they are too many to be counted; ``more``: there are more than counted."""

    laid: Laid
    count: int | None
    more: bool
    values: list[tuple[str, str]]
    """Words and value."""


def figures_of(laid: Laid, items: Sequence[Item], more: bool) -> Figure:
    """Of things with what they measured; implausible values are left out."""
    numbers = [
        float(item.shown.value)
        for item in items
        if item.shown is not None
        and isinstance(item.shown.value, int | float)
        and not isinstance(item.shown.value, bool)
        and not item.shown.flag
    ]
    numbers = [number for number in numbers if isfinite(number)]
    unit = laid.show.unit if laid.show else ""
    values = []
    if numbers:
        told = ((_("lowest"), min(numbers)), (_("mean"), sum(numbers) / len(numbers)), (_("highest"), max(numbers)))
        values = [(words, with_unit(_plain(number), unit)) for words, number in told]
    return Figure(laid, len(items), more, values)


def _plain(number: float) -> float | int:
    return int(number) if number.is_integer() else number
