"""``/alerts/``: what everybody is told, and the page behind a message's link."""

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from allmende.domain.catalogue import may_read
from allmende.domain.policy import ANONYMOUS
from allmende.web.accounts.audit import record
from allmende.web.accounts.roles import may
from allmende.web.alerts.acknowledging import acknowledge
from allmende.web.alerts.events import seen_by
from allmende.web.alerts.links import read_link
from allmende.web.alerts.models import RAISED, Event
from allmende.web.alerts.show import by_severity, row_of, why

PAGE = 25
VARY = "Accept-Language, Cookie"


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What is public: what lasts first, then what is over, a page at a time."""
    profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    simulated = bool(request.GET.get("simulated"))
    known = seen_by(profile, ANONYMOUS, public=True, simulated=simulated)
    lasting = sorted(known.filter(state=RAISED).order_by("-raised", "id")[:200], key=by_severity)
    past = Paginator(known.exclude(state=RAISED).order_by("-over", "id"), PAGE).get_page(request.GET.get("page"))
    # of what is on data that are not open nobody hears, not even that it is watched for
    told = [each for each in profile.alerts.values() if each.public and each.enabled]
    told = [each for each in told if may_read(profile.datasets[each.dataset], ANONYMOUS)]
    values = {
        "lasting": [row_of(event) for event in lasting],
        "past": [row_of(event) for event in past],
        "page": past,
        "watched": bool(told),
        "desk": may(request.user, "alerts.see"),
        "simulated": simulated,
        "simulates": any(profile.datasets[each.dataset].simulated for each in told),
    }
    answer = render(request, "alerts/list.html", values)
    answer["Vary"] = VARY
    return answer


@require_safe
def alert(request: HttpRequest, name: str) -> HttpResponse:
    """One alert: what is said of it, why it was raised, and where. One that the reader may not know of is like one
    that there is not."""
    house = request.house  # type: ignore[attr-defined]
    inside = may(request.user, "alerts.see")
    row = seen_by(house.profile, ANONYMOUS, public=True, simulated=True).filter(pk=name).first()
    if row is None and inside:
        row = seen_by(house.profile, house.reader, public=False).filter(pk=name).first()
    if row is None:
        raise Http404(name)
    values = {
        "row": row_of(row), "why": why(row, house.profile), "inside": inside,
        "open": seen_by(house.profile, ANONYMOUS, public=True, simulated=True).filter(pk=name).exists(),
        "messages": list(row.messages.all()) if inside else [],
    }  # fmt: skip
    answer = render(request, "alerts/alert.html", values)
    answer["Vary"] = VARY
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a message's link: by GET a button, by POST the alert is acknowledged, once."""
    found = read_link(token)
    row = Event.objects.filter(pk=found[0]).first() if found else None
    if found is None or row is None:
        return render(request, "alerts/link_over.html", status=410)
    if request.method == "POST":
        with transaction.atomic():
            if acknowledge(row.pk, by=None, how=found[1]):
                record(f"channel:{found[1]}", "alert.acknowledged", f"alert:{row.pk}", how="link")
        return HttpResponseRedirect(reverse("alerts:by-link", args=[token]))
    answer = render(request, "alerts/by_link.html", {"row": row_of(row), "event": row})
    # the address is the right to acknowledge; with "no-referrer" a browser says of the form that it comes from nowhere,
    # and it is refused
    answer["Referrer-Policy"] = "same-origin"
    return answer
