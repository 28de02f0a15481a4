"""The pages on which stewards decide who may read what is not open."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from allmende.domain.dataset import DatasetProfile
from allmende.domain.errors import AllmendeError, InvalidInput
from allmende.web.accounts.models import User
from allmende.web.accounts.roles import asks_for
from allmende.web.grants.forms import ROLE_TITLES, GrantForm
from allmende.web.grants.grants import grant, withdraw
from allmende.web.grants.models import Grant
from allmende.web.house import open_profile

MOST = 200


@require_http_methods(["GET", "HEAD"])
@asks_for("policy.edit")
def overview(request: HttpRequest) -> HttpResponse:
    """Every dataset that is not open, with how many may read it."""
    today = timezone.localdate()
    held: dict[str, int] = {}
    for name in Grant.objects.filter(withdrawn__isnull=True, until__gte=today).values_list("dataset", flat=True):
        held[name] = held.get(name, 0) + 1
    closed = [each for each in open_profile().datasets.values() if each.access != "open"]
    listed = [{"dataset": each, "count": held.get(each.id, 0)} for each in closed]
    return render(request, "grants/overview.html", {"listed": listed})


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for("policy.edit")
def dataset(request: HttpRequest, name: str) -> HttpResponse:
    """Who may read one dataset, and the form to grant it to somebody."""
    found = open_profile().datasets.get(name)
    if found is None or found.access == "open":
        raise Http404(name)
    form = GrantForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _give(request, name, form):
        messages.success(request, _("Access was granted."))
        return HttpResponseRedirect(reverse("grants:dataset", args=[name]))
    status = 422 if request.method == "POST" else 200
    return render(request, "grants/dataset.html", _values(found, form), status=status)


def _give(request: HttpRequest, name: str, form: GrantForm) -> bool:
    assert isinstance(request.user, User)
    try:
        grant(open_profile(), name, by=request.user, **form.values())
    except InvalidInput as error:
        form.add_error(error.where if error.where in form.fields else None, error.message)
    except AllmendeError as error:
        form.add_error(None, error.message)
    else:
        return True
    return False


def _values(found: DatasetProfile, form: GrantForm) -> dict[str, Any]:
    today = timezone.localdate()
    grants = Grant.objects.filter(dataset=found.id).select_related("user", "organisation", "granted_by", "withdrawn_by")
    listed = [
        {"it": each, "role": ROLE_TITLES.get(each.role, ""), "holds": each.withdrawn is None and each.until >= today}
        for each in grants[:MOST]
    ]
    return {
        "dataset": found,
        "form": form,
        "holding": [each for each in listed if each["holds"]],
        "ended": [each for each in listed if not each["holds"]],
    }


@require_POST
@asks_for("policy.edit")
def end(request: HttpRequest, number: int) -> HttpResponse:
    """Take access back, at once."""
    assert isinstance(request.user, User)
    try:
        ended = withdraw(number, by=request.user)
    except AllmendeError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("grants:overview"))
    messages.success(request, _("Access was taken back."))
    return HttpResponseRedirect(reverse("grants:dataset", args=[ended.dataset]))
