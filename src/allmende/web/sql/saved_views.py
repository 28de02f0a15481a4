"""Questions that are kept: one's own, and those that were published."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.domain.errors import AllmendeError
from allmende.web.accounts.audit import record
from allmende.web.accounts.roles import may
from allmende.web.sql.asking import HOUSE, ask
from allmende.web.sql.forms import QuestionForm
from allmende.web.sql.models import QueryVersion, SavedQuery
from allmende.web.sql.rights import PUBLISH, may_change
from allmende.web.sql.views import answer, answer_page, profile_of, refusal


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """What was published, and one's own; by POST a new one is kept."""
    if request.method == "POST":
        return _keep(request)
    own = SavedQuery.objects.filter(user=request.user) if request.user.is_authenticated else []
    values = {
        "own": own,
        "published": SavedQuery.objects.filter(published=True),
        "known": request.user.is_authenticated,
    }
    return _private(render(request, "sql/saved.html", values))


@login_required
def _keep(request: HttpRequest) -> HttpResponse:
    form = QuestionForm(request.POST)
    count = SavedQuery.objects.filter(user=request.user).count()
    if count >= settings.ALLMENDE.sql_saved:
        form.add_error(None, _("You keep %(count)s questions already: delete one first.") % {"count": count})
    if not form.is_valid():
        return _private(render(request, "sql/question_form.html", {"form": form}, status=422))
    with transaction.atomic():
        kept = SavedQuery(user=request.user)
        _write(kept, form)
        record(_actor(request), "query.keep", f"query:{kept.key}")
    messages.success(request, _("The question is kept. Whoever knows its address can open it."))
    return HttpResponseRedirect(reverse("sql:question", args=[kept.key]))


@require_safe
def show(request: HttpRequest, key: str) -> HttpResponse:
    """A question that is kept, with its answer: for who knows its address."""
    kept = _find(key)
    SavedQuery.objects.filter(pk=key).update(opened=timezone.now())
    return _shown(request, kept)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Another version of it. What is published is changed by who may publish."""
    kept = _theirs(request, key)
    if request.method != "POST":
        first = {"title": kept.title, "description": kept.description, "text": kept.text, **kept.chart}
        values = {"form": QuestionForm(initial=first), "kept": kept, "versions": kept.versions.all()}
        return _private(render(request, "sql/question_form.html", values))
    form = QuestionForm(request.POST)
    if not form.is_valid():
        values = {"form": form, "kept": kept, "versions": kept.versions.all()}
        return _private(render(request, "sql/question_form.html", values, status=422))
    with transaction.atomic():
        kept.version += 1
        _write(kept, form)
        record(_actor(request), "query.change", f"query:{key}", version=kept.version)
    return HttpResponseRedirect(reverse("sql:question", args=[key]))


@require_POST
@login_required
def drop(request: HttpRequest, key: str) -> HttpResponse:
    """Delete it, with its versions. One that is published is taken back first."""
    kept = _theirs(request, key)
    if kept.published:
        messages.error(request, _("It is published: take it back first."))
        return HttpResponseRedirect(reverse("sql:question", args=[key]))
    with transaction.atomic():
        kept.delete()
        record(_actor(request), "query.drop", f"query:{key}")
    messages.success(request, _("The question is deleted."))
    return HttpResponseRedirect(reverse("sql:saved"))


@require_POST
@login_required
def publish(request: HttpRequest, key: str) -> HttpResponse:
    """Publish it under an address that lasts, or take it back."""
    kept = _find(key)
    if not may(request.user, PUBLISH):
        raise Http404(key)
    with transaction.atomic():
        if "back" in request.POST:
            kept.published = False
            record(_actor(request), "query.withdraw", f"query:{key}", slug=kept.slug)
        else:
            kept.slug = kept.slug or _slug(request.POST.get("slug") or kept.title)
            kept.published = True
            record(_actor(request), "query.publish", f"query:{key}", slug=kept.slug, version=kept.version)
        kept.save(update_fields=["published", "slug"])
    return HttpResponseRedirect(reverse("sql:question", args=[key]))


@require_safe
def published(request: HttpRequest, slug: str) -> HttpResponse:
    """The page of a question that was published."""
    return _shown(request, find_published(slug))


@require_safe
def given(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Its answer for programs, under an address that lasts; worked out once for each state of the dumps."""
    kept = find_published(slug)
    try:
        found = ask(kept.text, HOUSE, profile_of(request))
    except AllmendeError as error:
        return refusal(error)
    response = answer(request, found, form, slug)
    response["Cache-Control"] = "no-cache"
    if response["ETag"] in request.headers.get("If-None-Match", ""):
        headers = {"ETag": response["ETag"], "Cache-Control": "no-cache"}
        return HttpResponse(status=304, headers=headers)
    return response


def find_published(slug: str) -> SavedQuery:
    """Raises Http404 for any other one."""
    kept = SavedQuery.objects.filter(slug=slug, published=True).first()
    if kept is None:
        raise Http404(slug)
    return kept


def _shown(request: HttpRequest, kept: SavedQuery) -> HttpResponse:
    drawn: dict[str, Any] = dict(kept.chart)
    drawn |= {name: request.GET[name] for name in ("kind", "x", "y") if name in request.GET}
    return answer_page(request, kept.text, drawn, kept)


def _find(key: str) -> SavedQuery:
    kept = SavedQuery.objects.filter(pk=key).first()
    if kept is None:
        raise Http404(key)
    return kept


def _theirs(request: HttpRequest, key: str) -> SavedQuery:
    """One that they may change."""
    kept = _find(key)
    if not may_change(request.user, kept):
        raise Http404(key)
    return kept


def _write(kept: SavedQuery, form: QuestionForm) -> None:
    said = form.cleaned_data
    kept.title, kept.description, kept.text = said["title"], said["description"], said["text"]
    kept.chart = {name: said[name] for name in ("kind", "x", "y") if said[name]} if said["kind"] else {}
    kept.changed = kept.opened = timezone.now()
    kept.save()
    QueryVersion.objects.create(
        query=kept, number=kept.version, title=kept.title, description=kept.description, text=kept.text,
        chart=kept.chart, at=kept.changed,
    )  # fmt: skip


def _slug(words: str) -> str:
    """A word of an address that no other question has or had."""
    umlauts = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
    base = slugify(words.lower().translate(umlauts))[:70].strip("-") or "frage"
    found, number = base, 1
    while SavedQuery.objects.filter(slug=found).exists():
        number += 1
        found = f"{base}-{number}"
    return found


def _actor(request: HttpRequest) -> str:
    return f"user:{request.user.get_username()}"


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response
