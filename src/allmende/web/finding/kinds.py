"""What the house itself has to be found; applications and services add theirs."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from allmende.city.finding import Findable, Kind
from allmende.city.glance import Glance
from allmende.domain.query import Query
from allmende.web.catalogue.extent import districts_of
from allmende.web.instruments.listing import instruments
from allmende.web.portal.context import describe

_PAGE = 5000


def _things(request: HttpRequest) -> Iterator[Findable]:
    """Those that the reader may see, up to the setting; what is simulated has no page and is no thing of the city."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    most, after = settings.ALLMENDE.search_things, None
    while most > 0:
        question = Query(
            entity="Thing",
            reader=house.reader,
            select=("name", "description"),
            top=min(_PAGE, most),
            after=after,
            simulated=False,
        )
        page = house.store.find(question)
        for _pk, key, name, description in page.rows:
            yield Findable(key, name or key, reverse("transparency:thing", args=[key]), description or "", key)
        most, after = most - len(page.rows), page.next
        if after is None:
            return


def _places(request: HttpRequest) -> Iterator[Findable]:
    """The city's districts."""
    geography = request.house.profile.geography  # type: ignore[attr-defined]  # set by HouseMiddleware
    for name in districts_of(geography):
        address = f"{reverse('catalogue:datasets')}?{urlencode({'district': name})}"
        yield Findable(name, name, address, _("District: what data there are of it"))


def _services(request: HttpRequest) -> Iterator[Findable]:
    """Services that the city has switched on."""
    for service in settings.SERVICES:
        shown = describe(service, request.path)
        glance = getattr(shown["app"], "glance", None)
        summary = str(glance.summary) if isinstance(glance, Glance) else ""
        yield Findable(service.name, str(shown["title"]), shown["address"], summary, service.name)


def _pages(request: HttpRequest) -> Iterator[Findable]:
    """Instruments, and what is said about the house."""
    for one in instruments():
        yield Findable(one.address, str(one.title), reverse(one.address), str(one.summary))
    said = {
        "portal:about": (_("What is an Allmende?"), _("What the house is, and how its data are used.")),
        "portal:sources": (_("Sources"), _("Where the data come from, and whether they arrive.")),
        "portal:api": (_("Data for programs"), _("Interfaces, with examples to try.")),
        "rulebook:rules": (_("Rules"), _("How values are made from values.")),
        "transparency:overview": (_("Transparency"), _("Which sensors stand where, and what for.")),
        "citizens:list": (_("Sensors of citizens"), _("Take part with a sensor of your own.")),
        "downloads:dumps": (_("History as files"), _("All open readings by month.")),
        "portal:licences": (_("Licences"), _("Under which terms data and program may be used.")),
        "portal:accessibility": (
            _("Accessibility"),
            _("How all can use the pages, and how to report a barrier."),
        ),
        "portal:privacy": (_("Privacy"), _("What is kept of you, and what not.")),
        "portal:security": (_("Security"), _("How to report a weakness.")),
        "portal:imprint": (_("Imprint"), _("Who answers for these pages.")),
    }
    for address, (title, summary) in said.items():
        yield Findable(address, title, reverse(address), summary)


KINDS = (
    Kind("services", _l("Services"), _services, order=10),
    Kind("places", _l("Places"), _places, order=30),
    Kind("things", _l("Things and sensors"), _things, order=40, spoken=False),
    Kind("pages", _l("Pages"), _pages, order=60),
)
