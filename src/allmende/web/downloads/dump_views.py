"""Dumps under addresses that last: the files, a list for programs, pages for people."""

from typing import Any

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allmende.domain.dataset import DatasetProfile
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.faces.files.about import About
from allmende.faces.files.formats import FORMATS
from allmende.web.catalogue.gather import root_of
from allmende.web.downloads.describing import describe_file
from allmende.web.downloads.dumping import span_of
from allmende.web.downloads.folder import dump_path
from allmende.web.downloads.marking import dumped
from allmende.web.downloads.models import Dump
from allmende.web.downloads.serving import send_file
from allmende.web.downloads.ways import address_of, current, words_for


@require_safe
def file(request: HttpRequest, dataset: str, name: str) -> HttpResponseBase:
    """A dump, whole or a range of it. It is asked now whether the dataset is open; 503 for a file that holds what was
    deleted, until it is made anew."""
    if not settings.ALLMENDE.dumps or dataset not in dumped(_profile(request)):
        raise Http404(name)
    dump = Dump.objects.filter(dataset=dataset, name=name, size__gt=0).first()
    if dump is None or dump.made is None:
        raise Http404(name)
    if dump.withdrawn:
        text = "Something in this file was deleted; it is being made anew.\n"
        return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers={"Retry-After": "900"})
    try:
        return send_file(
            request,
            dump_path(dataset, name),
            media=FORMATS["parquet"].media,
            name=f"{dataset}-{name}.parquet",
            digest=dump.digest,
            modified=dump.made,
            shared=True,
        )
    except FileNotFoundError:
        raise Http404(name) from None


@require_safe
def manifest(request: HttpRequest, dataset: str = "") -> HttpResponse:
    """All dumps, or those of a dataset, as JSON."""
    found = _shown(request, dataset)
    profile, root = _profile(request), root_of(request)
    said = [_tell(each, dumps, profile, root) for each, dumps in found]
    body = msgspec.json.encode(said[0] if dataset else {"datasets": said})
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-cache"})


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """``/dumps/``: the datasets that have dumps."""
    listed = [
        {"dataset": each, "files": len(dumps), "size": sum(dump.size for dump in dumps), "made": dumps[0].made}
        for each, dumps in _shown(request, "")
    ]
    return render(request, "downloads/dumps.html", {"listed": listed, "hour": settings.ALLMENDE.dump_hour})


@require_safe
def page(request: HttpRequest, dataset: str) -> HttpResponse:
    """The dumps of one dataset."""
    found, dumps = _shown(request, dataset)[0]
    language = _language(request)
    house = request.house  # type: ignore[attr-defined]
    titles = {kept.id: kept.title for kept in house.store.collections(ANONYMOUS)}
    root = root_of(request)
    listed = [{"it": dump, "title": words_for(dump, titles)[language]} for dump in dumps]
    months = [dump for dump in dumps if dump.name[:1].isdigit()]
    values = {
        "dataset": found, "listed": listed, "root": root, "example": address_of(root, (months or dumps)[0]),
    }  # fmt: skip
    return render(request, "downloads/dump.html", values)


def _shown(request: HttpRequest, dataset: str) -> list[tuple[DatasetProfile, list[Dump]]]:
    """Open datasets with their dumps. Raises Http404 for one that is named and has none."""
    profile, known = _profile(request), current()
    names = [name for name in dumped(profile) if name in known and dataset in ("", name)]
    if dataset and not names:
        raise Http404(dataset)
    return [(profile.datasets[name], known[name]) for name in names]


def _tell(dataset: DatasetProfile, dumps: list[Dump], profile: Profile, root: str) -> dict[str, Any]:
    said = _about(profile, dataset.id)
    return {
        "id": dataset.id,
        "title": said.title,
        "address": f"{root}/dataset/{dataset.id}",
        "publisher": said.publisher,
        "licence": said.licence,
        "licence_url": said.licence_url,
        "attribution": said.attribution,
        "files": [_of(dump, root) for dump in dumps],
    }


def _of(dump: Dump, root: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": dump.name,
        "address": address_of(root, dump),
        "mediaType": FORMATS["parquet"].media,
        "bytes": dump.size,
        "sha256": dump.digest,
        "rows": dump.rows,
        "made": dump.made.isoformat(timespec="seconds") if dump.made else None,
    }
    if dump.name[:1].isdigit():
        start, end = span_of(dump.name)
        said |= {"start": start // 1_000_000, "end": end // 1_000_000}
    return said


def _about(profile: Profile, dataset: str) -> About:
    from allmende.domain.selection import Selection

    return describe_file(profile, settings.ALLMENDE, Selection(dataset=dataset), profile.languages[0])


def _language(request: HttpRequest) -> str:
    return "de" if str(getattr(request, "LANGUAGE_CODE", "de")).startswith("de") else "en"


def _profile(request: HttpRequest) -> Profile:
    profile: Profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    return profile
