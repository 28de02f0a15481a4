"""The four steps: bring it, say what its columns are, look, propose. Each can be left and gone on with."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.domain.errors import AllmendeError, InvalidInput
from allmende.domain.recognition.model import MEANINGS
from allmende.domain.recognition.plan import Unfit, settings_of
from allmende.web.accounts.audit import record
from allmende.web.accounts.roles import asks_for
from allmende.web.house import open_profile
from allmende.web.making import planning, preview, proposing, uploads, words
from allmende.web.making.looking import fetch_and_look, first_about, look_at, name_by_address
from allmende.web.making.models import PROPOSED, RUNNING, Making

DEED = "sources.edit"
_SHOWN = 50
_LISTED = 20


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(DEED)
def begin(request: HttpRequest) -> HttpResponse:
    """An address or a file; and what the person has begun already."""
    error = ""
    if request.method == "POST":
        try:
            return _to("columns", _bring(request))
        except AllmendeError as trouble:
            error = _in_words(trouble)
    values = {
        "listed": Making.objects.filter(user=request.user)[:_LISTED],
        "error": error,
        "address": request.POST.get("address", ""),
        "megabytes": settings.ALLMENDE.making_bytes // 2**20,
        "days": settings.ALLMENDE.making_days,
    }
    return render(request, "making/begin.html", values, status=422 if error else 200)


def _bring(request: HttpRequest) -> Making:
    upload, address = request.FILES.get("file"), request.POST.get("address", "").strip()
    if bool(upload) == bool(address):
        raise InvalidInput(gettext("Give either an address or a file."))
    most = settings.ALLMENDE.making_most
    if Making.objects.filter(user=request.user).count() >= most:
        raise InvalidInput(gettext("You have begun %(most)s sources; finish or delete some of them.") % {"most": most})
    making = Making(user=request.user)
    if upload is not None:
        making.name = (upload.name or "file")[:255]
        uploads.keep_upload(making, upload)
        known = look_at(making)
    else:
        making.name, making.address = name_by_address(address), address[:2000]
        known = fetch_and_look(making)
    making.take(known)
    making.about = first_about(making, known)
    making.touch()
    kind = "file" if upload is not None else "address"
    record(_actor(request), "making.begin", f"making:{making.key}", kind=kind, bytes=making.size)
    return making


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(DEED)
def columns(request: HttpRequest, key: str) -> HttpResponse:
    """What was recognised, to be changed: the columns, and what the source is called."""
    making = _mine(request, key)
    plan = making.plan
    wrong: dict[str, str] = {}
    if request.method == "POST" and plan is not None:
        shape = plan.shape
        try:
            planning.changed(plan, request.POST)
            making.plan = plan
            if plan.shape == shape:
                settings_of(plan)
            if "about" in request.POST:
                proposing.take_about(making, request.POST)
        except AllmendeError as trouble:
            wrong[trouble.where if trouble.where in _fields(making) else ""] = _in_words(trouble)
        making.plan = plan
        making.touch()
        if not wrong and plan.shape == shape and "next" in request.POST:
            return _to("preview", making)
        if not wrong:
            return _to("columns", making)
    known = making.recognition
    values = {
        **_common(making, 2),
        "known": known,
        "reasons": [words.say(each) for each in known.reasons],
        "warnings": [words.say(each) for each in known.warnings],
        "plan": plan,
        "rows": _rows(making) if plan is not None else [],
        "more": max(0, len(plan.columns) - planning.SHOWN) if plan is not None else 0,
        "meanings": [(name, words.MEANINGS[name]) for name in MEANINGS[plan.shape]] if plan is not None else [],
        "kinds": list(words.TYPES.items()),
        "shapes": list(words.SHAPES.items()),
        "keyed": plan is not None and any(each.meaning == "id" for each in plan.columns),
        "base": planning.shown_base(plan) if plan is not None else {},
        "chosen": making.chosen,
        "choice_label": words.CHOICES[known.choices[0].key] if known.choices else "",
        "about": making.about,
        "titles": list(making.about["title"].items()),
        "datasets": open_profile().datasets.values(),
        "licences": proposing.LICENCES,
        "wrong": wrong,
    }
    return render(request, "making/columns.html", values, status=422 if wrong else 200)


@require_POST
@asks_for(DEED)
def choose(request: HttpRequest, key: str) -> HttpResponse:
    """Take one of several: a sheet, a layer, a collection, a file of a catalogue."""
    making = _mine(request, key)
    wanted = request.POST.get("choice", "")
    choice = next((each for each in making.recognition.choices if each.value == wanted), None)
    if choice is None:
        raise Http404(wanted)
    try:
        if choice.key == "address":
            making.address, making.name, making.chosen = choice.value, name_by_address(choice.value), {}
            known = fetch_and_look(making)
            making.about = first_about(making, known)
        else:
            making.chosen = {**making.chosen, choice.key: choice.value}
            known = look_at(making)
    except AllmendeError as trouble:
        return _refuse(request, making, 2, trouble)
    making.take(known)
    making.touch()
    return _to("columns", making)


def _refuse(request: HttpRequest, making: Making, step: int, trouble: AllmendeError) -> HttpResponse:
    values = {**_common(making, step), "error": _in_words(trouble)}
    return render(request, "making/trouble.html", values, status=422)


@require_safe
@asks_for(DEED)
def look(request: HttpRequest, key: str) -> HttpResponse:
    """What would become of it, on the map and as a list. Nothing is stored."""
    making = _mine(request, key)
    try:
        seen = preview.preview(making)
    except AllmendeError as trouble:
        return _refuse(request, making, 3, trouble)
    placed = any(thing.place for thing in seen.things) or any(each["geometry"] for each in seen.features)
    values = {
        **_common(making, 3),
        "seen": seen,
        "things": seen.things[:_SHOWN],
        "more_things": max(0, len(seen.things) - _SHOWN),
        "features": seen.features[:_SHOWN],
        "more_features": max(0, seen.objects - _SHOWN),
        "placed": placed,
        "texts": _map_texts(),
    }
    return render(request, "making/preview.html", values)


@require_safe
@asks_for(DEED)
def found(request: HttpRequest, key: str) -> HttpResponse:
    """What the map of the preview shows, as GeoJSON."""
    making = _mine(request, key)
    try:
        seen = preview.preview(making)
    except AllmendeError as trouble:
        return JsonResponse({"message": trouble.message}, status=422)
    return JsonResponse(preview.on_map(seen))


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(DEED)
def finish(request: HttpRequest, key: str) -> HttpResponse:
    """Once, or again and again; then it is proposed."""
    making = _mine(request, key)
    if making.plan is None or making.state == RUNNING:
        return _to("columns", making)
    wrong: dict[str, str] = {}
    try:
        offered = proposing.modes(making)
        if request.method == "POST":
            proposing.take_timing(making, request.POST)
            proposing.take_about(making, request.POST)
            proposing.propose(making, request.user, request.POST.get("reason", "").strip())
            return _to("state", making)
    except AllmendeError as trouble:
        wrong[trouble.where if trouble.where == "interval" else ""] = _in_words(trouble)
        offered = ["once"]
    values = {
        **_common(making, 4),
        "offered": offered,
        "about": making.about,
        "intervals": proposing.INTERVALS,
        "four_eyes": settings.ALLMENDE.four_eyes,
        "reason": request.POST.get("reason", ""),
        "wrong": wrong,
    }
    return render(request, "making/finish.html", values, status=422 if wrong else 200)


@require_safe
@asks_for(DEED)
def state(request: HttpRequest, key: str) -> HttpResponse:
    """What became of the proposal, how far the file is taken in, and its report."""
    making = _mine(request, key)
    stand = proposing.stand_of(making)
    name = making.about.get("id", "")
    house = request.house  # type: ignore[attr-defined]
    values = {
        **_common(making, 4),
        "stand": stand,
        "counts": house.store.sources().get(name) if proposing.is_released(making) else None,
        "waits": making.state in (PROPOSED, RUNNING),
        "percent": round(100 * float(making.report.get("share", 0))),
    }
    template = "making/_state.html" if request.headers.get("HX-Request") else "making/state.html"
    return render(request, template, values)


@require_POST
@asks_for(DEED)
def drop(request: HttpRequest, key: str) -> HttpResponse:
    """Give it up: the file and all that was said go at once. What was proposed is the office's."""
    making = _mine(request, key)
    if making.state != RUNNING:
        uploads.drop(making)
        making.delete()
        record(_actor(request), "making.drop", f"making:{key}")
    return HttpResponseRedirect(reverse("making:begin"))


def _mine(request: HttpRequest, key: str) -> Making:
    making = Making.objects.filter(key=key, user=request.user).first()
    if making is None:
        raise Http404(key)
    return making


def _to(name: str, making: Making) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(f"making:{name}", args=[making.key]))


def _actor(request: HttpRequest) -> str:
    return f"user:{request.user.get_username()}"


def _in_words(trouble: AllmendeError) -> str:
    return words.say(trouble.words) if isinstance(trouble, Unfit) else trouble.message


def _common(making: Making, step: int) -> dict[str, Any]:
    return {"making": making, "step": step, "readable": making.plan is not None, "city": open_profile()}


def _fields(making: Making) -> Mapping[str, Any]:
    names = ["id", "dataset", "new_id", "new_publisher", "new_licence"]
    return dict.fromkeys([*names, *(f"title_{language}" for language in making.about["title"])])


def _rows(making: Making) -> list[dict[str, Any]]:
    plan = making.plan
    assert plan is not None
    return [
        {
            "number": row.number,
            "found": row.found,
            "plan": row.plan,
            "kind": words.KINDS[row.found.kind],
            "reason": words.say(row.found.reason),
            "unit_reason": words.say(row.found.unit_reason),
            "sure": words.sure(row.found.confidence),
            "empty": round(100 * row.found.empty),
        }
        for row in planning.rows_of(making.recognition, plan)
    ]


def _map_texts() -> dict[str, str]:
    return {
        "map": gettext("Map"),
        "zoomIn": gettext("Zoom in"),
        "zoomOut": gettext("Zoom out"),
        "scrollZoom": gettext("Hold Ctrl and scroll to zoom the map"),
        "scrollZoomMac": gettext("Hold ⌘ and scroll to zoom the map"),
        "twoFingers": gettext("Move the map with two fingers"),
        "failed": gettext("The map cannot be shown here. The list says the same."),
    }
