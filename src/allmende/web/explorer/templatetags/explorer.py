"""Filters of the explorer's own pages."""

from collections.abc import Sequence
from typing import Any

from django import template

register = template.Library()


@register.filter
def at(values: Sequence[Any], place: int) -> Any:
    """The value at a place of a list; None behind its end."""
    return values[place] if 0 <= place < len(values) else None
