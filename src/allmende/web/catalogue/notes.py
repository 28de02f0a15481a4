"""Remembers descriptions: first seen, last changed, gone, each edition; and what was measured of the data."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import transaction

from allmende.domain.catalogue import Note, may_know
from allmende.domain.contract import Contract
from allmende.domain.dataset import DatasetProfile, Texts
from allmende.domain.editions import Edition, body_of, succeed
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.quality import Quality, measure, span_of
from allmende.domain.store import Store
from allmende.web.catalogue.models import Description, EditionBody
from allmende.web.office.models import Revision

_encoder = msgspec.json.Encoder(order="deterministic")


def digest_of(dataset: DatasetProfile) -> str:
    """A digest of all that is said of a dataset."""
    return hashlib.blake2b(_encoder.encode(body_of(dataset)), digest_size=16).hexdigest()


def note_descriptions(profile: Profile, now: int) -> None:
    """Remember what the profile says now (``now`` in microseconds); what it says no more is gone from now on.

    Safe to repeat: what is as it was keeps its times.
    """
    with transaction.atomic():
        known = {each.dataset: each for each in Description.objects.select_for_update()}
        for dataset in profile.datasets.values():
            digest, public = digest_of(dataset), may_know(dataset, ANONYMOUS)
            kept = known.pop(dataset.id, None)
            if kept is not None and kept.digest == digest and kept.gone is None and kept.editions:
                continue
            if kept is None:
                kept = Description(dataset=dataset.id, issued=now)
            # one that came back is as new, even where it says what it said
            _add_edition(kept, dataset, now, public, profile.languages[0])
            kept.digest, kept.title, kept.public = digest, dict(dataset.title), public
            kept.changed, kept.gone = now, None
            kept.save()
        for lost in known.values():
            if lost.gone is None:
                lost.gone = now
                last = _editions(lost)[-1].at if lost.editions else lost.changed
                lost.farewell = _reasons(lost.dataset, last, profile.languages[0])
                lost.save(update_fields=["gone", "farewell"])


def _add_edition(kept: Description, dataset: DatasetProfile, now: int, public: bool, language: str) -> None:
    last = _editions(kept)[-1] if kept.editions else None
    before = None if last is None else edition_body(dataset.id, last.number)
    reason = {} if last is None else _reasons(dataset.id, last.at, language)
    made = succeed(last, before, dataset, at=now, public=public, reason=reason)
    EditionBody.objects.create(dataset=dataset.id, number=made.number, body=body_of(dataset))
    kept.editions = [*kept.editions, msgspec.to_builtins(made)]


def _reasons(dataset: str, since: int, language: str) -> Texts:
    """Why what was released after a moment was released, in the office's words; they are in the city's language."""
    after = datetime.fromtimestamp(since / 1_000_000, UTC)
    released = Revision.objects.filter(kind="dataset", key=dataset, released__gt=after).order_by("released")
    said = " ".join(dict.fromkeys(reason for reason in released.values_list("reason", flat=True) if reason))
    return {language: said} if said else {}


def _editions(kept: Description) -> tuple[Edition, ...]:
    return tuple(msgspec.convert(kept.editions, list[Edition]))


def edition_body(dataset: str, number: int) -> dict[str, Any] | None:
    """What an edition said, or None where there is none."""
    found = EditionBody.objects.filter(dataset=dataset, number=number).values_list("body", flat=True).first()
    return None if found is None else dict(found)


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
    return Note(issued=kept.issued, changed=kept.changed, quality=quality, editions=_editions(kept))
