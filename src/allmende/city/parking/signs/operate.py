"""``/parking/signs/operate/``: what operators put on signs: a text, darkness, and back to automatic. All is audited."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages as notices
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from allmende.city.house import House, asks_for, house_of
from allmende.city.parking.signs import controllers, keeping, previewing, words
from allmende.city.parking.signs.file import fitting, signs_of
from allmende.city.parking.signs.keeping import as_message
from allmende.city.parking.signs.model import Display, Signs
from allmende.city.parking.signs.models import SignMessage, as_dict
from allmende.city.parking.signs.views import find, rows_of
from allmende.domain.errors import InvalidInput

DEED = "parking.operate"
_LANGUAGES = ("de", "en")
_LONGEST = timedelta(days=92)
_USUAL = timedelta(hours=2)
_SAID = (
    gettext_noop("the text has %(count)s rows, and %(sign)s has %(limit)s"),
    gettext_noop("“%(row)s” has %(count)s characters, and a row of %(sign)s has room for %(limit)s"),
    gettext_noop("%(sign)s cannot write %(unknown)s"),
)
"""What the rules themselves say of a text."""


class MessageForm(forms.Form):
    """A text for some signs, or none at all; the fit is looked at by sign."""

    kind = forms.ChoiceField(choices=[("text", gettext_lazy("A text")), ("blank", gettext_lazy("Nothing: dark"))])
    de = forms.CharField(required=False, max_length=600)
    en = forms.CharField(required=False, max_length=600)
    rank = forms.ChoiceField(choices=[("notice", ""), ("event", ""), ("urgent", "")])
    beside = forms.BooleanField(required=False)
    start = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M"], required=False)
    until = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M"])
    reason = forms.CharField(max_length=200, strip=True)
    street = forms.CharField(required=False)
    direction = forms.ChoiceField(required=False, choices=[("", ""), ("forward", ""), ("backward", "")])

    def __init__(self, data: Mapping[str, Any] | None, *, signs: Signs, chosen: list[str], now: datetime) -> None:
        super().__init__(data)
        self._signs, self._now = signs, now
        self._named = chosen
        self.displays: list[Display] = []
        self.pages: dict[str, tuple[str, ...]] = {}

    def clean(self) -> dict[str, Any]:
        """Everything that one field alone cannot tell."""
        said: dict[str, Any] = super().clean() or {}
        self.displays = self._choose(said)
        if not self.displays:
            self.add_error(None, _("Choose one sign at the least."))
        until = said.get("until")
        if until is not None and until <= self._now:
            self.add_error("until", _("The end has to be in the future."))
        elif until is not None and until > self._now + _LONGEST:
            self.add_error("until", _("The end is %s days ahead at the most.") % _LONGEST.days)
        start = said.get("start")
        if start is not None and start > self._now + _LONGEST:
            self.add_error("start", _("The beginning is %s days ahead at the most.") % _LONGEST.days)
        elif start is not None and until is not None and until <= start:
            self.add_error("until", _("The end has to be after the start."))
        if said.get("kind") == "text":
            self._clean_text(said)
        return said

    def _choose(self, said: Mapping[str, Any]) -> list[Display]:
        """The signs that are named; else those of the street and direction."""
        if self._named:
            return [self._signs.displays[name] for name in self._named if name in self._signs.displays]
        street, direction = said.get("street") or "", said.get("direction") or ""
        if not street and not direction:
            return []
        return [
            display
            for display in self._signs.displays.values()
            if street in ("", display.street) and direction in ("", display.direction)
        ]

    def _clean_text(self, said: Mapping[str, Any]) -> None:
        lines = {language: tuple(str(said.get(language) or "").splitlines()) for language in _LANGUAGES}
        try:
            self.pages = fitting(self.displays, lines)
        except InvalidInput as error:
            self.add_error("de", _(error.template) % error.arguments + ".")
            return
        if not self.pages:
            self.add_error("de", _("Write a text, or choose that the sign is dark."))


@never_cache
@asks_for(DEED)
@require_http_methods(["GET", "HEAD", "POST"])
def operate(request: HttpRequest) -> HttpResponse:
    """What is on signs by hand, and the form for more; ``?sign=`` chooses one."""
    house = house_of(request)
    signs = signs_of(house.profile)
    if not signs.displays:
        raise Http404("this city has no signs")
    now = house.now()
    posted = request.method == "POST"
    chosen = (request.POST if posted else request.GET).getlist("sign")
    form = MessageForm(request.POST if posted else None, signs=signs, chosen=chosen, now=now)
    preview = None
    if posted and form.is_valid() and "preview" in request.POST:
        preview = previewing.of_messages(house, signs, [as_message(draft(form, now))], form.displays, now)
    elif posted and form.is_valid():
        put(house, signs, form)
        said = {"count": len(form.displays)}
        if form.cleaned_data["start"] and form.cleaned_data["start"] > now:
            notices.success(request, _("Done. It will be on %(count)s signs from its beginning on.") % said)
        else:
            notices.success(request, _("Done. The change is on %(count)s signs.") % said)
        return redirect(reverse("parking:signs-operate"))
    zone = ZoneInfo(house.profile.time_zone)
    values = {
        "form": form,
        "chosen": chosen,
        "signs": signs,
        "streets": [
            (street, [each for each in signs.displays.values() if each.street == street]) for street in signs.streets
        ],
        "ranks": [(rank, words.say_rank(rank)) for rank in ("event", "notice", "urgent")],
        "directions": [(key, words.say_direction(key)) for key in ("forward", "backward")],
        "until": form["until"].value() or f"{(now + _USUAL).astimezone(zone):%Y-%m-%dT%H:%M}",
        "written": [_written(key, message, now) for key, message in keeping.written(now).items()],
        "preview": preview,
        "troubles": [row for row in rows_of(house, signs) if row.differs or row.faults],
    }
    return render(request, "parking/signs_operate.html", values, status=400 if posted and preview is None else 200)


@never_cache
@asks_for(DEED)
@require_POST
def end(request: HttpRequest, key: int) -> HttpResponse:
    """Back to automatic before the time."""
    house = house_of(request)
    now = house.now()
    with transaction.atomic():
        row = SignMessage.objects.select_for_update().filter(pk=key, until__gt=now).first()
        if row is None:
            raise Http404(str(key))
        row.until = now
        row.save(update_fields=["until"])
        house.note("parking.sign-end", f"sign-message:{key}", displays=row.displays)
        keeping.refresh(house, signs_of(house.profile), row.displays)
    notices.success(request, _("Done. The signs show by themselves again."))
    return redirect(reverse("parking:signs-operate"))


@never_cache
@asks_for(DEED)
@require_POST
def renew_token(request: HttpRequest, sign: str) -> HttpResponse:
    """A new token for the device of one sign, shown this once."""
    house = house_of(request)
    _signs, display = find(house, sign)
    with transaction.atomic():
        token = controllers.make_token(display.id, house.now())
        house.note("parking.sign-token", f"sign:{display.id}")
    return render(
        request, "parking/sign_token.html", {"display": display, "token": token, "header": controllers.HEADER}
    )


def draft(form: MessageForm, now: datetime) -> SignMessage:
    """What a checked form says, not kept yet. A beginning that has passed is now."""
    said = form.cleaned_data
    return SignMessage(
        displays=[display.id for display in form.displays],
        pages={language: list(rows) for language, rows in form.pages.items()},
        rank=said["rank"],
        beside=bool(said["beside"] and form.pages),
        reason=said["reason"],
        start=max(said["start"] or now, now),
        until=said["until"],
    )


def put(house: House, signs: Signs, form: MessageForm) -> SignMessage:
    """Put a checked message on its signs, at once or from its beginning on."""
    row = draft(form, house.now())
    with transaction.atomic():
        row.save()
        house.note("parking.sign-text", f"sign-message:{row.pk}", **as_dict(row))
        keeping.refresh(house, signs, row.displays)
    return row


def _written(key: int, message: Any, now: datetime) -> dict[str, Any]:
    pages = [" / ".join(rows) for rows in message.pages.values()]
    return {
        "key": key,
        "text": " | ".join(pages) or _("Dark"),
        "rank": words.say_rank(message.rank),
        "until": message.until,
        "start": message.start,
        "ahead": message.start > now,
        "reason": message.reason,
        "count": len(message.displays),
        "displays": sorted(message.displays),
    }
