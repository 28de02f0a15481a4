"""The link by which somebody subscribes to what a page shows: ``{% subscribe_link dataset=entry.id %}``."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

register = template.Library()
_NAMES = frozenset({"kind", "alert", "thing", "stream", "dataset", "district", "street", "near", "severity"})


@register.inclusion_tag("subscriptions/_link.html")
def subscribe_link(**said: Any) -> dict[str, Any]:
    """A link with words; names and values are those of :class:`allmende.web.subscriptions.selection.Selection`."""
    unknown = set(said) - _NAMES
    if unknown:
        raise template.TemplateSyntaxError(f"nothing is selected by {sorted(unknown)[0]!r}")
    query = urlencode({name: value for name, value in said.items() if value})
    return {"address": f"{reverse('subscriptions:new')}?{query}"}
