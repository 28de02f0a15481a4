"""``/office/alerts/``: what was raised, who has seen to it, whom it was told, and what an alert would have done."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from allmende.domain.errors import AllmendeError
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.times import MINUTE, from_datetime, to_datetime
from allmende.knowledge.alerts.past import foresee
from allmende.knowledge.alerts.prepare import prepare_alerts
from allmende.knowledge.alerts.watch import FOLLOWER
from allmende.web.accounts.audit import record
from allmende.web.accounts.roles import asks_for, may
from allmende.web.alerts import words
from allmende.web.alerts.acknowledging import acknowledge
from allmende.web.alerts.delivery import given_up
from allmende.web.alerts.events import seen_by
from allmende.web.alerts.forms import SilenceForm
from allmende.web.alerts.models import RAISED, Event, Message, Silence
from allmende.web.alerts.show import row_of
from allmende.web.alerts.watching import READER
from allmende.web.intake import now_micros
from allmende.web.portal.sources import spoken
from allmende.web.rules import limits_of

PAGE = 50
_MOST = 200
_PAST_SECONDS = 10.0
_LATE = MINUTE
"""Readings that nobody looked at for so long are told of: an alert may be among them."""


@never_cache
@asks_for("alerts.see")
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """What lasts, what was lately, what is silenced, and the alerts that there are."""
    return _desk(request, SilenceForm())


def _desk(request: HttpRequest, form: SilenceForm, *, status: int = 200) -> HttpResponse:
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    known = _known(house)
    lasting = known.filter(state=RAISED).order_by("-raised", "id")[:_MOST]
    lately = Paginator(known.exclude(state=RAISED).order_by("-over", "id"), PAGE).get_page(request.GET.get("page"))
    visible = _alerts(house.profile, house.reader)
    form.fields["alert"].choices = [(key, title) for key, title, _each in visible]  # type: ignore[attr-defined]
    silences = Silence.objects.filter(until__gt=timezone.now(), alert__in=[key for key, _t, _e in visible])
    errors = prepare_alerts(house.profile).errors
    titles = {key: title for key, title, _each in visible}
    values = {
        "lasting": [row_of(event) for event in lasting],
        "lately": [row_of(event) for event in lately],
        "page": lately,
        "alerts": [
            {"key": key, "title": title, "it": each, "severity": words.say_severity(each.severity),
             "problem": str(errors[key]) if key in errors else "", "count": known.filter(alert=key).count()}
            for key, title, each in visible
        ],
        "silences": [{"it": each, "title": titles.get(each.alert, each.alert)} for each in silences],
        "form": form,
        "lost": given_up(),
        "behind": _behind(house),
        "waiting": Message.objects.filter(sent__isnull=True, given_up__isnull=True, attempts__gt=0).count(),
        "edits": may(request.user, "alerts.edit"),
    }  # fmt: skip
    return render(request, "alerts/desk.html", values, status=status)


def _behind(house: Any) -> dict[str, Any] | None:
    """How far the watch is behind the readings, where that is longer than it should be, and whom it waits for."""
    cursor = house.store.cursor(FOLLOWER)
    backlog = None if cursor is None else house.store.backlog(cursor)
    if backlog is None or now_micros() - backlog.since < _LATE:
        return None
    return {"since": to_datetime(backlog.since), "held_by": backlog.held_by}


@asks_for("alerts.see")
@require_POST
def acknowledge_here(request: HttpRequest, name: str) -> HttpResponse:
    """Somebody sees to it."""
    house = request.house  # type: ignore[attr-defined]
    event = get_object_or_404(_known(house), pk=name)
    with transaction.atomic():
        if acknowledge(event.pk, by=request.user, how="page"):  # type: ignore[arg-type]  # the guard knows them
            record(f"user:{request.user.get_username()}", "alert.acknowledged", f"alert:{event.pk}", how="page")
    return HttpResponseRedirect(reverse("alerts:desk"))


@asks_for("alerts.edit")
@require_POST
def silence(request: HttpRequest) -> HttpResponse:
    """Nobody is told of an alert for a while; what lasts of it is hidden from the public, too."""
    house = request.house  # type: ignore[attr-defined]
    form = SilenceForm(request.POST)
    visible = _alerts(house.profile, house.reader)
    form.fields["alert"].choices = [(key, title) for key, title, _each in visible]  # type: ignore[attr-defined]
    if not form.is_valid():
        return _desk(request, form, status=422)
    said = form.cleaned_data
    until = timezone.now() + timedelta(hours=said["hours"])
    with transaction.atomic():
        made = Silence.objects.create(
            alert=said["alert"], key=said["key"], until=until, reason=said["reason"], user=request.user
        )
        touched = Event.objects.filter(alert=made.alert, state=RAISED, silenced="")
        touched = touched.filter(key=made.key) if made.key else touched
        named = list(touched.values_list("pk", flat=True))
        touched.update(silenced=made.reason)
        Message.objects.filter(event__in=named, sent__isnull=True, given_up__isnull=True).update(
            given_up=from_datetime(timezone.now()), error="silenced"
        )
        record(
            f"user:{request.user.get_username()}", "alert.silenced", f"alert:{made.alert}",
            key=made.key, until=until.isoformat(timespec="minutes"), reason=made.reason,
        )  # fmt: skip
    return HttpResponseRedirect(reverse("alerts:desk"))


@asks_for("alerts.edit")
@require_POST
def end_silence(request: HttpRequest, number: int) -> HttpResponse:
    """People are told again of what is raised from now on."""
    with transaction.atomic():
        found = get_object_or_404(Silence, pk=number, until__gt=timezone.now())
        found.until = timezone.now()
        found.save(update_fields=["until"])
        record(f"user:{request.user.get_username()}", "alert.silence-ended", f"alert:{found.alert}", key=found.key)
    return HttpResponseRedirect(reverse("alerts:desk"))


@never_cache
@asks_for("alerts.see")
@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    """What was told on which channel, and what was not."""
    house = request.house  # type: ignore[attr-defined]
    found = Message.objects.filter(event__in=_known(house)).select_related("event").order_by("-made", "id")
    if request.GET.get("open"):
        found = found.filter(Q(sent__isnull=True))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = [
        {"it": message, "title": words.headline(message.event), "kind": words.KINDS.get(message.kind, message.kind),
         "made": to_datetime(message.made), "sent": _moment(message.sent), "given_up": _moment(message.given_up),
         "due": to_datetime(message.due)}
        for message in page
    ]  # fmt: skip
    return render(request, "alerts/deliveries.html", {"rows": rows, "page": page, "open": request.GET.get("open")})


@never_cache
@asks_for("alerts.see")
@require_safe
def past(request: HttpRequest, key: str) -> HttpResponse:
    """What an alert would have done over the last days, as it is in force."""
    house = request.house  # type: ignore[attr-defined]
    if key not in {name for name, _title, _each in _alerts(house.profile, house.reader)}:
        raise Http404(key)
    most = settings.ALLMENDE.alert_past_days
    asked = request.GET.get("days", "30")
    days = min(most, int(asked)) if asked.isascii() and asked.isdigit() and int(asked[:6]) > 0 else 30
    alert = next((each for each in prepare_alerts(house.profile).alerts if each.id == key), None)
    values: dict[str, Any] = {"key": key, "title": spoken(house.profile.alerts[key].title), "days": days, "most": most}
    if alert is None:
        return render(request, "alerts/past.html", values | {"fault": _("It is switched off, or it is not in order.")})
    end = from_datetime(datetime.now(UTC))
    start = end - days * 86_400_000_000
    try:
        found = foresee(house.store, READER, alert, (start, end), limits_of(settings.ALLMENDE), seconds=_PAST_SECONDS)
    except AllmendeError as error:
        return render(request, "alerts/past.html", values | {"fault": str(error)})
    values["count"] = len(found)
    values["rows"] = [
        {"key": each.key, "since": to_datetime(each.since), "over": _moment(each.over),
         "values": ", ".join(f"{name} {words.say_number(value)}" for name, value in each.values.items())}
        for each in found[:_MOST]
    ]  # fmt: skip
    return render(request, "alerts/past.html", values)


def _known(house: Any) -> Any:
    return seen_by(house.profile, house.reader, public=False)


def _alerts(profile: Profile, reader: Reader) -> list[tuple[str, str, Any]]:
    """Those on data that the reader may see: key, title, table."""
    from allmende.domain.catalogue import may_read

    return [
        (key, spoken(each.title), each)
        for key, each in profile.alerts.items()
        if may_read(profile.datasets[each.dataset], reader)
    ]


def _moment(at: int | None) -> datetime | None:
    return None if at is None else to_datetime(at)
