"""OGC API - Features and - Tiles over HTTP: Django's request to the face's, and back."""

import time
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request
from django.views.decorators.csrf import csrf_exempt

from allmende.domain import vocabulary
from allmende.domain.dataset import DatasetProfile
from allmende.domain.face import Request
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.faces.ogc.answers import Page
from allmende.faces.ogc.drawn import Drawn
from allmende.faces.ogc.face import answer
from allmende.faces.ogc.layers import About, DatasetWords
from allmende.faces.ogc.records import Records
from allmende.web.catalogue.finding import index_for
from allmende.web.catalogue.gather import catalogue_for
from allmende.web.live import Derived
from allmende.web.ogc.pages import PATH, draw, filled_in
from allmende.web.sta import face_limits


# It reads alone: there is nothing to forge a request for.
@csrf_exempt
def features(request: HttpRequest, path: str = "") -> HttpResponse:
    """``/ogc/v1`` and all below it."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    language = get_language_from_request(request).split("-")[0]
    query = request.META.get("QUERY_STRING", "")
    question = Request(
        method=request.method or "GET",
        path=path or "",
        query=filled_in(query) if "f=html" in query else query,
        root=f"{request.scheme}://{request.get_host()}/{PATH}",
        reader=house.reader,
        now=time.time_ns() // 1000,
        if_none_match=request.META.get("HTTP_IF_NONE_MATCH", ""),
        accept=request.META.get("HTTP_ACCEPT", ""),
    )
    about = _ABOUT[language]()
    given = answer(question, house.store, face_limits(), about, _drawn(), partial(_records, request))
    response = draw(request, given, language) if isinstance(given, Page) else given
    headers = dict(response.headers)
    # May be kept, and is asked for anew with its tag: what was measured a moment ago is no longer what there is.
    open_to_all = house.reader.name == ANONYMOUS.name
    headers["Cache-Control"] = "no-cache" if open_to_all else "private, no-cache"
    headers["Vary"] = "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie"
    headers["Content-Language"] = language
    return HttpResponse(response.body, status=response.status, content_type=response.content_type, headers=headers)


def _records(request: HttpRequest) -> Records:
    catalogue = catalogue_for(request)

    def find(words: str) -> list[str]:
        scores = index_for(request, catalogue).search(words).scores
        return sorted(scores, key=lambda name: (-scores[name], name))

    return Records(catalogue, find)


@cache
def _drawn() -> Drawn:
    """Of this process, as its store is."""
    return Drawn(settings.ALLMENDE.tile_cache_bytes)


def wants_page(request: HttpRequest) -> bool:
    """Whether the answer may be a page, which needs more of the house than JSON does."""
    return "html" in request.META.get("HTTP_ACCEPT", "") or "f=html" in request.META.get("QUERY_STRING", "")


def _about(profile: Profile, language: str) -> About:
    german = language == "de"
    return About(
        title=f"Objekte und Messwerte: {profile.name}" if german else f"Objects and readings: {profile.name}",
        description=(
            "Alle Objekte der Stadt und ihre Messstellen mit den neuesten Werten."
            if german
            else "All objects of the city, and its measuring stations with their newest values."
        ),
        language=language,
        datasets={dataset.id: words_of(dataset, language) for dataset in profile.datasets.values()},
    )


def words_of(dataset: DatasetProfile, language: str) -> DatasetWords:
    """What is said of a dataset in a language."""

    def spoken(texts: Mapping[str, str]) -> str:
        return texts.get(language) or next(iter(texts.values()), "")

    licence = vocabulary.find(vocabulary.LICENCES, dataset.licence)
    more: dict[str, Any] = licence.more if licence else {}
    plain = dataset.licence if dataset.licence.startswith(("http://", "https://")) else ""
    return DatasetWords(
        title=spoken(dataset.title),
        description=spoken(dataset.description),
        licence=str(more.get("url") or plain),
        licence_title=spoken(licence.label) if licence else dataset.licence,
        attribution=dataset.attribution,
        address=f"/dataset/{dataset.id}",
        simulated=dataset.simulated,
    )


def _told_in(language: str) -> Derived[About]:
    return Derived(lambda profile: _about(profile, language))


_ABOUT = {language: _told_in(language) for language, _ in settings.LANGUAGES}
