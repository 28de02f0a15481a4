"""``{% analysis_ways ids %}``: which analyses can be made of streams, on any page."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from allmende.web.analyses.correlation import MOST

register = template.Library()


@register.inclusion_tag("analyses/_ways.html")
def analysis_ways(ids: Sequence[str], simulated: bool = False) -> dict[str, Any]:
    """Links to the analyses of the first stream, or of several where they are held against each other."""
    more = [("simulated", "1")] if simulated else []

    def address(page: str, streams: Sequence[str]) -> str:
        return f"{reverse(page)}?{urlencode([*(('stream', each) for each in streams), *more])}"

    return {
        "ways": [
            (_("Typical week"), address("analyses:week", ids[:1])),
            (_("Calendar in colours"), address("analyses:calendar", ids[:1])),
            (_("Correlation"), address("analyses:correlation", ids[:MOST])),
            (_("Before and after"), address("analyses:before-after", ids[:1])),
        ]
        if ids
        else []
    }
