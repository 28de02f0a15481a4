"""The short form by which a dataset is ordered, for its page; and what pages say of it."""

from typing import Any

from django import template
from django.conf import settings
from django.utils.translation import gettext as _

from allmende.domain.catalogue import Entry
from allmende.faces.files.formats import FORMATS
from allmende.web.downloads.words import titles

register = template.Library()


@register.simple_tag
def download_hours() -> int:
    """For how long a file is kept."""
    return round(settings.ALLMENDE.download_hours)


@register.inclusion_tag("downloads/_form.html")
def order_form(entry: Entry) -> dict[str, Any]:
    """For a dataset whose data the reader may see. Empty where there are none."""
    words = titles()
    tables = [("", _("Readings"))] if entry.figures.streams else []
    tables += [(kept.id, kept.title) for kept in entry.collections]
    return {
        "dataset": entry.id,
        "tables": tables,
        "formats": [(key, *words[key]) for key, each in FORMATS.items() if each.is_here],
        "buckets": [
            ("", _("as they were measured")),
            ("PT15M", _("quarter hours")),
            ("PT1H", _("hours")),
            ("P1D", _("days")),
            ("P1M", _("months")),
        ],
        "readings": bool(entry.figures.streams),
        "start": entry.start,
        "hours": download_hours(),
    }
