"""The catalogue and its datasets at their addresses: for programs as RDF, for people as pages."""

import time

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from allmende.domain.catalogue import may_know
from allmende.domain.cataloguing import describe_edition
from allmende.domain.face import Request, Response
from allmende.faces.dcat.face import answer_catalogue, answer_dataset, answer_edition, answer_gone
from allmende.faces.dcat.formats import Format, accepted, by_suffix
from allmende.web.catalogue.gather import catalogue_for, root_of
from allmende.web.catalogue.gone import show_gone, tombstone
from allmende.web.catalogue.history import show_edition
from allmende.web.catalogue.notes import edition_body
from allmende.web.catalogue.pages import show_dataset

VARY = "Accept, Accept-Profile, Accept-Language, Authorization, Cookie"


@require_safe
def catalogue(request: HttpRequest, suffix: str = "") -> HttpResponse:
    """``/catalog``: RDF, or the list of datasets for a browser. ``?simulated=1`` brings simulated datasets too."""
    format_ = _format(request, suffix)
    if format_ is None:
        answer: HttpResponse = HttpResponseRedirect(reverse("catalogue:datasets"), status=303)
        answer["Vary"] = VARY
        return answer
    found = catalogue_for(request, simulated=request.GET.get("simulated") == "1")
    return _send(request, answer_catalogue(_question(request), found, format_, _accept_profile(request)))


@require_safe
def dataset(request: HttpRequest, name: str, suffix: str = "") -> HttpResponse:
    """``/dataset/ID``: the page or RDF. 410 for one that was withdrawn; one that the reader may not know of is like one
    that never was."""
    format_ = _format(request, suffix)
    profile = request.house.profile.datasets.get(name)  # type: ignore[attr-defined]
    if profile is not None and not may_know(profile, request.house.reader):  # type: ignore[attr-defined]
        raise Http404(name)
    if profile is not None and profile.withdrawn is not None:
        return _gone(request, name, format_)
    # who asks for it by its name has asked for it, simulated or not
    found = catalogue_for(request, simulated=profile is not None and profile.simulated)
    entry = found.entry(name)
    if entry is None:
        if profile is not None:
            raise Http404(name)
        return _gone(request, name, format_)
    if format_ is None:
        answer = show_dataset(request, entry, found)
        answer["Vary"] = VARY
        answer["Link"] = f'<{entry.address}.ttl>; rel="alternate"; type="text/turtle"'
        return answer
    return _send(request, answer_dataset(_question(request), entry, found, format_, _accept_profile(request)))


@require_safe
def edition(request: HttpRequest, name: str, number: str, suffix: str = "") -> HttpResponse:
    """``/dataset/ID/version/N``: what was said of a dataset then, and why it became so. 404 for one that the reader may
    not know of, 410 with the dataset."""
    house, format_ = request.house, _format(request, suffix)  # type: ignore[attr-defined]
    profile = house.profile.datasets.get(name)
    if profile is not None and not may_know(profile, house.reader):
        raise Http404(name)
    if profile is None or profile.withdrawn is not None:
        return _gone(request, name, format_)
    found = catalogue_for(request, simulated=profile.simulated)
    current = found.entry(name)
    wanted = next((each for each in current.editions if each.number == int(number)), None) if current else None
    body = edition_body(name, int(number)) if wanted else None
    if current is None or wanted is None or body is None:
        raise Http404(name)
    if format_ is None:
        answer = show_edition(request, wanted, body, current)
        answer["Vary"] = VARY
        return answer
    entry, organisations = describe_edition(body, current, house.profile)
    known = {**found.organisations, **{each.name: each for each in organisations}}
    then = msgspec.structs.replace(found, organisations=known)
    return _send(
        request, answer_edition(_question(request), entry, wanted, current, then, format_, _accept_profile(request))
    )


def _gone(request: HttpRequest, name: str, format_: Format | None) -> HttpResponse:
    house = request.house  # type: ignore[attr-defined]
    stone = tombstone(house.store, house.profile, house.reader, root_of(request), name)
    if stone is None:
        raise Http404(name)
    if format_ is None:
        answer = show_gone(request, stone)
        answer["Vary"] = VARY
        return answer
    return _send(request, answer_gone(stone, format_))


def _format(request: HttpRequest, suffix: str) -> Format | None:
    if suffix:
        return by_suffix(suffix)
    return accepted(request.headers.get("accept", ""), html=True)


def _accept_profile(request: HttpRequest) -> str:
    return request.headers.get("accept-profile", "")


def _question(request: HttpRequest) -> Request:
    return Request(
        method=request.method or "GET",
        path=request.path_info,
        query=request.META.get("QUERY_STRING", ""),
        root=root_of(request),
        reader=request.house.reader,  # type: ignore[attr-defined]
        now=time.time_ns() // 1000,
        if_none_match=request.headers.get("if-none-match", ""),
        accept=request.headers.get("accept", ""),
    )


def _send(request: HttpRequest, answer: Response) -> HttpResponse:
    response = HttpResponse(
        answer.body, status=answer.status, content_type=answer.content_type, headers=dict(answer.headers)
    )
    response.headers.setdefault("Vary", VARY)
    if request.house.reader.name != "anonymous":  # type: ignore[attr-defined]
        response["Cache-Control"] = "private, no-cache"
    return response
