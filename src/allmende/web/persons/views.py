"""Pages on requests: one's own, and those of the office."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.domain.errors import AllmendeError, InvalidInput, NotFound
from allmende.domain.holdings import COMMONS, DECISIONS, RECIPIENTS, holdings
from allmende.web.accounts.models import User
from allmende.web.accounts.roles import asks_for
from allmende.web.persons import asking
from allmende.web.persons.erasing import backups_until
from allmende.web.persons.forms import PaperForm
from allmende.web.persons.models import (
    ACCESS,
    DECLINED,
    DONE,
    ERASURE,
    FAILED,
    OPEN,
    PROPOSED,
    READY,
    WAITING,
    PersonRequest,
)
from allmende.web.persons.parcels import path_of
from allmende.web.persons.reach import look

MOST = 200
KINDS = {ACCESS: gettext_lazy("Access to own data"), ERASURE: gettext_lazy("Erasure")}
STATES = {
    WAITING: (gettext_lazy("is being put together"), "info"),
    READY: (gettext_lazy("is ready to be fetched"), "success"),
    PROPOSED: (gettext_lazy("waits for a second person"), "warning"),
    DONE: (gettext_lazy("was answered"), "success"),
    DECLINED: (gettext_lazy("was declined"), "info"),
    FAILED: (gettext_lazy("could not be answered"), "danger"),
}
"""States in words, and KERN's names for their colours."""
WHY = {
    RECIPIENTS: gettext_lazy("so that whom the data are about can be told who received them, without the name"),
    DECISIONS: gettext_lazy("so that the city's decisions can be explained and undone, without the name"),
    COMMONS: gettext_lazy("given to all, without a tie to the person"),
}


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """What one asked for; by POST, all that is held of one is put together."""
    user: Any = request.user
    if request.method == "POST":
        asking.ask_access(user)
        return HttpResponseRedirect(reverse("persons:mine"))
    listed = [_row(each) for each in PersonRequest.objects.filter(account=user, kind=ACCESS)[:20]]
    return render(request, "persons/mine.html", {"listed": listed, "days": settings.ALLMENDE.person_file_days})


@never_cache
@login_required
@reauthentication_required
@require_safe
def fetch_own(request: HttpRequest, key: str) -> HttpResponseBase:
    """The file of one's own request."""
    user: Any = request.user
    found = PersonRequest.objects.filter(key=key, account=user, kind=ACCESS, paper=False).first()
    if found is None:
        raise Http404(key)
    return _fetch(found, user)


@never_cache
@asks_for(asking.ANSWER)
@require_http_methods(["GET", "HEAD", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """Requests, what is to be answered first; by POST one that came on paper is written down."""
    user: Any = request.user
    form = PaperForm(request.POST if request.method == "POST" else None, initial={"received": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            made = asking.write_down(user, **form.cleaned_data)
        except NotFound:
            form.add_error("about", _("There is no account of this name, and it is no e-mail address of one account."))
        except InvalidInput as error:
            form.add_error(error.where if error.where in form.fields else None, error.message)
        else:
            return HttpResponseRedirect(reverse("persons:request", args=[made.pk]))
    open_ = PersonRequest.objects.filter(state__in=OPEN).select_related("account").order_by("due", "pk")
    over = PersonRequest.objects.exclude(state__in=OPEN).select_related("account")
    values = {
        "form": form,
        "open": [_row(each) for each in open_[:MOST]],
        "over": [_row(each) for each in over[:MOST]],
    }
    return render(request, "persons/overview.html", values, status=422 if form.is_bound else 200)


@never_cache
@asks_for(asking.ANSWER)
@reauthentication_required(allow_get=True)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: int) -> HttpResponse:
    """One request: what it reaches, what was done; by POST it is released or declined."""
    user: Any = request.user
    found = get_object_or_404(PersonRequest.objects.select_related("account", "asker", "releaser"), pk=number)
    if request.method == "POST":
        _decide(request, found, user)
        return HttpResponseRedirect(reverse("persons:request", args=[number]))
    values = {
        "row": _row(found),
        "preview": _preview(found),
        "titles": [(_title(place), number) for place, number in found.found.items()],
        "kept": [{**each, "title": _title(each["place"]), "words": WHY.get(each["why"], each["why"])}
                 for each in found.kept],
        "needs_other": found.state == PROPOSED and asking.needs_other(found, user),
        "backups": found.backups_until or backups_until(),
        "file": path_of(found).is_file(),
    }  # fmt: skip
    return render(request, "persons/request.html", values)


@never_cache
@asks_for(asking.ANSWER)
@reauthentication_required
@require_safe
def fetch(request: HttpRequest, number: int) -> HttpResponseBase:
    """The file of a request that came on paper, to be handed over."""
    user: Any = request.user
    found = get_object_or_404(PersonRequest, pk=number, kind=ACCESS, paper=True)
    return _fetch(found, user)


@require_POST
@asks_for("people.edit")
@reauthentication_required
def erase_account(request: HttpRequest, number: int) -> HttpResponse:
    """An administrator wants an account gone: a request as any other, for a second person to release."""
    user: Any = request.user
    found = get_object_or_404(User, pk=number)
    made = asking.write_down(
        user,
        kind=ERASURE,
        about=found.get_username(),
        received=timezone.localdate(),
        note=_("By an administrator, on the page of the account."),
    )
    if not asking.needs_other(made, user):
        try:
            asking.release(made, user)
        except AllmendeError as error:
            PersonRequest.objects.filter(pk=made.pk).delete()
            messages.error(request, error.message)
            return HttpResponseRedirect(reverse("accounts:person", args=[number]))
    return HttpResponseRedirect(reverse("persons:request", args=[made.pk]))


def _decide(request: HttpRequest, found: PersonRequest, user: User) -> None:
    try:
        if request.POST.get("do") == "release":
            asking.release(found, user)
            messages.success(request, _("It is erased."))
        elif request.POST.get("do") == "decline":
            asking.decline(found, user, request.POST.get("why", ""))
            messages.success(request, _("The request is declined. Tell the person why."))
    except AllmendeError as error:
        messages.error(request, error.message)


def _preview(found: PersonRequest) -> list[dict[str, Any]]:
    if not found.is_open:
        return []
    try:
        subject = asking.subject_of_request(found)
    except NotFound:
        return []
    return [each for each in look(subject) if each["count"]]


def _fetch(found: PersonRequest, user: User) -> HttpResponseBase:
    path = path_of(found)
    if not path.is_file():
        raise Http404(found.key)
    asking.hand_over(found, user)
    name = f"allmende-{found.received:%Y-%m-%d}.zip"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/zip")


def _row(found: PersonRequest) -> dict[str, Any]:
    word, colour = STATES[found.state]
    return {
        "it": found,
        "kind": KINDS[found.kind],
        "state": word,
        "colour": colour,
        "who": found.account.get_username() if found.account else found.about,
        "file": found.state in (READY, DONE) and found.kind == ACCESS and path_of(found).is_file(),
    }


def _title(place: str) -> Any:
    return next((each.named.title for each in holdings() if each.named.place == place), place)
