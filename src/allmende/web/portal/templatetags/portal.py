"""Tags of the frame and of pages that show ages."""

from collections.abc import Mapping
from datetime import datetime

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now as clock

from allmende.city.words import say_age
from allmende.web.portal import sources
from allmende.web.portal.assets import find

register = template.Library()


@register.simple_tag
def vite(name: str) -> SafeString:
    """The styles and the script of a Vite entry; the pages are readable without the script."""
    script, styles = find(name)
    links = format_html_join("\n", '<link rel="stylesheet" href="{}">', ((style,) for style in styles))
    return format_html('{}\n<script type="module" src="{}"></script>', links, script)


@register.filter
def age(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in words; empty for None."""
    return say_age(moment, now or clock()) if moment else ""


@register.filter
def spoken(texts: Mapping[str, str]) -> str:
    """A profile's text in the active language."""
    return sources.spoken(texts)
