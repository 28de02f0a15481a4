"""Datasets that were withdrawn, or left the profile: what is still said of them, at the address they had."""

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from allmende.domain.catalogue import may_know
from allmende.domain.dataset import DatasetProfile, Texts
from allmende.domain.editions import dataset_of
from allmende.domain.policy import Reader, house_reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.tombstones import Tombstone, bury
from allmende.web.catalogue.history import as_day
from allmende.web.catalogue.models import Description
from allmende.web.catalogue.notes import edition_body
from allmende.web.harvest.entries import gone_one
from allmende.web.harvest.models import Harvested
from allmende.web.portal.sources import spoken


def tombstone(store: Store, profile: Profile, reader: Reader, root: str, name: str) -> Tombstone | None:
    """That of one dataset; None where there is none that the reader may know of."""
    dataset = profile.datasets.get(name)
    if dataset is not None:
        if dataset.withdrawn is None or not may_know(dataset, reader):
            return None
        return bury(dataset, root, end=_newest(store, dataset))
    kept = Description.objects.filter(dataset=name, gone__isnull=False, public=True).first()
    if kept is not None:
        return _of_lost(kept, root)
    taken = gone_one(name, profile)
    return None if taken is None else _of_taken(taken, root)


def tombstones(profile: Profile, reader: Reader, root: str) -> list[Tombstone]:
    """All of them, without looking at the data."""
    withdrawn = [each for each in profile.datasets.values() if each.withdrawn is not None and may_know(each, reader)]
    lost = Description.objects.filter(gone__isnull=False, public=True).exclude(dataset__in=list(profile.datasets))
    return [*(bury(each, root) for each in withdrawn), *(_of_lost(each, root) for each in lost)]


def _of_lost(kept: Description, root: str) -> Tombstone:
    """Of one that the profile says no more: by its last edition, as far as one was kept."""
    body = edition_body(kept.dataset, kept.editions[-1]["number"]) if kept.editions else None
    day = time.strftime("%Y-%m-%d", time.gmtime((kept.gone or 0) / 1_000_000))
    reason: Texts = kept.farewell
    if body is None:
        address = f"{root}/dataset/{kept.dataset}"
        return Tombstone(id=kept.dataset, address=address, title=kept.title, withdrawn=day, reason=reason)
    return bury(dataset_of(body), root, day=day, reason=reason)


def _of_taken(taken: Harvested, root: str) -> Tombstone:
    """Of one that was taken over from another catalogue, and is no more there."""
    return Tombstone(
        id=taken.dataset,
        address=f"{root}/dataset/{taken.dataset}",
        title=taken.said.get("title", {}),
        withdrawn="" if taken.gone is None else time.strftime("%Y-%m-%d", time.gmtime(taken.gone / 1_000_000)),
        reason={
            "de": "Der Katalog, aus dem der Datensatz übernommen wurde, führt ihn nicht mehr, oder er wird nicht mehr "
            "übernommen.",
            "en": "The catalogue that the dataset was taken over from has it no more, or it is taken over no more.",
        },
    )


def _newest(store: Store, dataset: DatasetProfile) -> str:
    """The day of its newest reading, of one that was open: everybody could see it then."""
    if dataset.access != "open":
        return ""
    figures = store.figures(house_reader("catalogue")).get(dataset.id)
    moment = figures.newest if figures else None
    return "" if moment is None else time.strftime("%Y-%m-%d", time.gmtime(moment / 1_000_000))


def show_gone(request: HttpRequest, stone: Tombstone) -> HttpResponse:
    """``/dataset/ID`` of one that was withdrawn: 410, and what is left to say."""
    values = {
        "title": spoken(stone.title),
        "words": spoken(stone.description),
        "stone": stone,
        "day": as_day(stone.withdrawn),
        "end": as_day(stone.end),
        "reason": spoken(stone.reason),
    }
    return render(request, "catalogue/gone.html", values, status=410)


def refuse_gone(stone: Tombstone) -> HttpResponse:
    """For a file of one that was withdrawn: 410, and where to read why."""
    words = f"This dataset was withdrawn on {stone.withdrawn}. {stone.address} says why.\n"
    return HttpResponse(words, status=410, content_type="text/plain; charset=utf-8")
