"""Remembers descriptions: first seen, last changed, gone; and what was measured of the data."""

import hashlib
from collections.abc import Mapping

import msgspec
from django.db import transaction

from allmende.domain.catalogue import Note, may_know
from allmende.domain.contract import Contract
from allmende.domain.dataset import DatasetProfile
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.quality import Quality, measure, span_of
from allmende.domain.store import Store
from allmende.web.catalogue.models import Description

_encoder = msgspec.json.Encoder(order="deterministic")


def digest_of(dataset: DatasetProfile) -> str:
    """A digest of all that is said of a dataset."""
    return hashlib.blake2b(_encoder.encode(dataset), digest_size=16).hexdigest()


def note_descriptions(profile: Profile, now: int) -> None:
    """Remember what the profile says now (``now`` in microseconds); what it says no more is gone from now on.

    Safe to repeat: what is as it was keeps its times.
    """
    with transaction.atomic():
        known = {each.dataset: each for each in Description.objects.select_for_update()}
        for dataset in profile.datasets.values():
            digest, public = digest_of(dataset), may_know(dataset, ANONYMOUS)
            before = known.pop(dataset.id, None)
            if before is None:
                Description.objects.create(
                    dataset=dataset.id, digest=digest, title=dataset.title, public=public, issued=now, changed=now
                )
            elif before.digest != digest or before.gone is not None:
                before.digest, before.title, before.public = digest, dict(dataset.title), public
                before.changed, before.gone = now, None
                before.save(update_fields=["digest", "title", "public", "changed", "gone"])
        for lost in known.values():
            if lost.gone is None:
                lost.gone = now
                lost.save(update_fields=["gone"])


def measure_quality(store: Store, contracts: Mapping[str, Contract], *, now: int, days: int) -> dict[str, Quality]:
    """Measure all datasets over the last whole days, and remember it; ``now`` in microseconds."""
    start, end = span_of(now, days)
    found = measure(store.tallies(start, end), contracts, now=now, start=start, end=end)
    with transaction.atomic():
        for name, quality in found.items():
            Description.objects.filter(dataset=name).update(quality=msgspec.to_builtins(quality))
        Description.objects.exclude(dataset__in=found).filter(quality__isnull=False).update(quality=None)
    return found


def read_notes() -> dict[str, Note]:
    """What is remembered of every dataset that is still described."""
    return {each.dataset: _note(each) for each in Description.objects.filter(gone__isnull=True)}


def _note(kept: Description) -> Note:
    quality = None if kept.quality is None else msgspec.convert(kept.quality, Quality)
    return Note(issued=kept.issued, changed=kept.changed, quality=quality)


def gone_description(name: str) -> Description | None:
    """A dataset that is described no more, if everybody could know of it."""
    return Description.objects.filter(dataset=name, gone__isnull=False, public=True).first()
