"""The audit log for those who look after the house."""

from datetime import UTC, date, datetime, time, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from allmende.web.accounts.listing import fitting
from allmende.web.accounts.models import AUDIT_DAYS
from allmende.web.accounts.roles import asks_for

PAGE = 50
_DATES = ["%Y-%m-%d", "%d.%m.%Y"]
_NO_DATE = {"invalid": _("This is no date.")}
_NEWEST = 2**63 - 1


class AskForm(forms.Form):
    """What is looked for; days are the city's, both are included."""

    actor = forms.CharField(max_length=200, required=False)
    action = forms.CharField(max_length=100, required=False)
    object = forms.CharField(max_length=300, required=False)
    since = forms.DateField(required=False, input_formats=_DATES, error_messages=_NO_DATE)
    until = forms.DateField(required=False, input_formats=_DATES, error_messages=_NO_DATE)


@never_cache
@require_safe
@asks_for("audit.see")
def audit_log(request: HttpRequest) -> HttpResponse:
    """``/office/audit/``: the newest first, behind the number ``before`` where it is given."""
    form = AskForm(request.GET)
    valid = form.is_valid()
    asked = form.cleaned_data
    found = fitting(
        actor=asked.get("actor", ""),
        action=asked.get("action", ""),
        object_=asked.get("object", ""),
        since=_midnight(asked.get("since")),
        until=_midnight(asked.get("until"), days=1),
    )
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and int(before) <= _NEWEST:
        found = found.filter(id__lt=int(before))
    rows = list(found[: PAGE + 1]) if valid else []
    older = request.GET.copy()
    if len(rows) > PAGE:
        older["before"] = str(rows[PAGE - 1].pk)
    values = {
        "form": form,
        "rows": rows[:PAGE],
        "older": older.urlencode() if len(rows) > PAGE else "",
        "days": AUDIT_DAYS,
    }
    return render(request, "accounts/audit.html", values, status=200 if valid else 422)


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """The beginning of a day in the city's zone; None where the calendar ends before it."""
    if day is None:
        return None
    try:
        return timezone.make_aware(datetime.combine(day + timedelta(days=days), time())).astimezone(UTC)
    except OverflowError:
        return None
