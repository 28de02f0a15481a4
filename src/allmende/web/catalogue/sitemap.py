"""What search engines ask for first: where all pages are, and which of them they may read."""

from xml.sax.saxutils import escape

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from allmende.domain.policy import ANONYMOUS
from allmende.web.catalogue.gather import gather, root_of

MOST = 50_000
"""Addresses in one file (sitemaps.org 0.9)."""
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_PAGES = ("", "datasets/", "about/", "transparency/", "licences/")


@require_safe
def sitemap(request: HttpRequest, part: str = "") -> HttpResponse:
    """``/sitemap.xml`` (sitemaps.org 0.9): pages for everybody, whoever asks. Where they are more than fit, it names
    ``/sitemap-1.xml`` and so on."""
    pages = _pages(request)
    parts = max(1, -(-len(pages) // MOST))
    if part:
        if int(part) > parts:
            raise Http404(part)
        pages = pages[(int(part) - 1) * MOST : int(part) * MOST]
    elif parts > 1:
        pages = [(f"{root_of(request)}/sitemap-{number}.xml", "") for number in range(1, parts + 1)]
        return _file("sitemapindex", "sitemap", pages)
    return _file("urlset", "url", pages)


def _pages(request: HttpRequest) -> list[tuple[str, str]]:
    """Addresses with the day of their last change."""
    house, root = request.house, root_of(request)  # type: ignore[attr-defined]  # set by HouseMiddleware
    found = gather(house.store, house.profile, ANONYMOUS, root)
    return [*((f"{root}/{page}", "") for page in _PAGES), *((each.address, each.modified) for each in found.entries)]


def _file(whole: str, each: str, pages: list[tuple[str, str]]) -> HttpResponse:
    body = ['<?xml version="1.0" encoding="UTF-8"?>', f"<{whole} {_NAMESPACE}>"]
    for address, day in pages:
        said = f"<lastmod>{day}</lastmod>" if day else ""
        body.append(f"<{each}><loc>{escape(address)}</loc>{said}</{each}>")
    return HttpResponse("\n".join([*body, f"</{whole}>\n"]), content_type="application/xml")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """``/robots.txt`` (RFC 9309): pages are for everybody; what is asked again and again by pages is not."""
    closed = ("/accounts/", "/sta/", "/ogc/v1/collections/*/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), "", f"Sitemap: {root_of(request)}/sitemap.xml"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
