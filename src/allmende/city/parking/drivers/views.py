"""The list as a small frame for other sites, and the page that writes the code for it."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.city.house import framed, house_of
from allmende.city.keeping import kept_for_all
from allmende.city.parking.drivers import desk
from allmende.city.parking.operating.paperwork import stamp_of_papers
from allmende.city.parking.texts import texts_of_live

THEMES = {"auto": _("as the device is set"), "light": _("Light"), "dark": _("Dark")}
MOST = 50
"""Car parks that a frame may name."""


def _options(request: HttpRequest) -> tuple[list[str], str, str]:
    """Car parks (real ids; none: all), language and appearance; what is not known does not count."""
    language = request.GET.get("lang", "")
    theme = request.GET.get("theme", "auto")
    return (
        [site[:300] for site in request.GET.getlist("site")[:MOST]],
        language if language in dict(settings.LANGUAGES) else "",
        theme if theme in THEMES else "auto",
    )


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
@framed
def show_widget(request: HttpRequest) -> HttpResponse:
    """``?site=ID&site=ID&lang=de&theme=dark``: free spaces now. Readable without script; with it the values renew
    themselves, and can be held."""
    sites, language, theme = _options(request)
    with translation.override(language or translation.get_language()):
        shown = desk.look(request)
        told = (*shown.rows, *shown.below) if sites else shown.rows
        rows = [row for row in told if not sites or shown.real[row.park.id] in sites]
        values = {
            "board": shown.board, "rows": rows, "theme": theme, "texts": texts_of_live(),
            "played": any(row.park.simulated for row in rows),
        }  # fmt: skip
        return render(request, "parking/widget.html", values)


@require_safe
@gzip_page
def build_widget(request: HttpRequest) -> HttpResponse:
    """The form, and the code to copy."""
    sites, language, theme = _options(request)
    shown = desk.look(request)
    rows = [*shown.rows, *shown.below]
    asked = [("site", site) for site in sites]
    if language:
        asked.append(("lang", language))
    if theme != "auto":
        asked.append(("theme", theme))
    address = reverse("parking:widget") + (f"?{urlencode(asked)}" if asked else "")
    values: dict[str, Any] = {
        "frames": house_of(request).frames,
        "sites": [(shown.real[row.park.id], row.park.name, shown.real[row.park.id] in sites) for row in rows],
        "languages": [(code, name, code == language) for code, name in settings.LANGUAGES],
        "themes": [(code, name, code == theme) for code, name in THEMES.items()],
        "address": request.build_absolute_uri(address),
        "height": 120 + 56 * (len(sites) or len(shown.rows)),
    }
    return render(request, "parking/widget_build.html", values)
