"""``/alerts/cap/``: public alerts as CAP, one by one, and an Atom index of those that last."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import feedgenerator
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from allmende.domain.policy import ANONYMOUS
from allmende.web.alerts.cap import MEDIA_TYPE, as_cap, clean, identifier, moment
from allmende.web.alerts.events import events, happening, seen_by
from allmende.web.catalogue.gather import root_of

_SECONDS = 30


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What is public and lasts, as Atom; each entry leads to its CAP message. The same for whoever asks."""
    profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    root = root_of(request)
    with override(profile.languages[0]):
        title = _("Alerts of %(city)s") % {"city": profile.name}
    feed = feedgenerator.Atom1Feed(
        title=title, link=f"{root}{reverse('alerts:list')}", description=title, language=profile.languages[0],
        feed_url=f"{root}{reverse('alerts:cap-index')}", author_name=profile.catalogue.publisher or profile.name,
    )  # fmt: skip
    for event in events(profile, ANONYMOUS, lasting=True):
        address = f"{root}{reverse('alerts:cap', args=[event.id])}"
        text = event.text(event.title, profile.languages[0])
        feed.add_item(
            title=clean(f"{text}: {event.thing_name}" if event.thing_name else text),
            link=address, unique_id=f"urn:allmende:{profile.id}:{identifier(event)}",
            description=event.text(event.description, profile.languages[0]),
            pubdate=moment(event), updateddate=moment(event), categories=(event.category,),
            enclosures=[feedgenerator.Enclosure(address, "0", MEDIA_TYPE)],
        )  # fmt: skip
    return _answer(feed.writeString("utf-8").encode(), "application/atom+xml; charset=utf-8")


@require_safe
def message(request: HttpRequest, name: str) -> HttpResponse:
    """One alert that is or was public. One that is not is like one that there is not."""
    profile = request.house.profile  # type: ignore[attr-defined]
    row = seen_by(profile, ANONYMOUS, public=True).filter(pk=name).first()
    if row is None:
        raise Http404(name)
    address = f"{root_of(request)}{reverse('alerts:alert', args=[row.id])}"
    return _answer(as_cap(happening(row), profile, settings.ALLMENDE, address), f"{MEDIA_TYPE}; charset=utf-8")


def _answer(body: bytes, kind: str) -> HttpResponse:
    answer = HttpResponse(body, content_type=kind)
    answer["Cache-Control"] = f"public, max-age={_SECONDS}"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
