"""Notes what happened, and in the same transaction what has to be told to whom: nothing is lost where the machine dies
between the two, and nothing is told twice.

Sources say since when something is as it is before they have committed it. So the last minutes are read again each
time; what is known by then is left alone.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
import structlog
from django.db import transaction
from django.utils import timezone

from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import DAY, MINUTE, to_datetime
from allmende.web.subscriptions.happening import Happening
from allmende.web.subscriptions.models import Cursor, Happened, Letter, Subscription
from allmende.web.subscriptions.rhythm import due_at
from allmende.web.subscriptions.selection import Selection, matches
from allmende.web.subscriptions.sources import Reading
from allmende.web.subscriptions.sources.all import SOURCES

AGAIN = 15 * MINUTE
_CHUNK = 200
_MANY = 20_000
Told = tuple[Subscription, Selection]

log = structlog.get_logger("allmende.subscriptions")


def collect(
    profile: Profile, store: Store, now: int, *, days: int, sources: Iterable[Reading] = tuple(SOURCES.values())
) -> int:
    """Note what the sources have, and write the letters; gives how many letters. Safe to repeat, and to be killed in.

    What is first read when the house begins is noted without a word: it is older than any subscription to it.
    """
    written = 0
    wanted = _subscriptions()
    for source in sources:
        cursor = Cursor.objects.filter(source=source.name).first()
        after = cursor.read - AGAIN if cursor else -1
        for chunk in _chunks(source.read(profile, store, after, now)):
            with transaction.atomic():
                written += sum(_note(happening, wanted, profile, now) for happening in chunk)
        Cursor.objects.update_or_create(source=source.name, defaults={"read": now})
        source.settle()
    _prune(now, days)
    return written


def _subscriptions() -> list[Told]:
    """Those that are confirmed. One that is confirmed meanwhile hears of what comes from the next look on."""
    rows = Subscription.objects.filter(confirmed__isnull=False, subscriber__confirmed__isnull=False)
    return [(each, msgspec.convert(each.selection, Selection)) for each in rows.select_related("subscriber")]


def _chunks(found: Iterable[Happening]) -> Iterator[list[Happening]]:
    chunk: list[Happening] = []
    for happening in found:
        chunk.append(happening)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _note(happening: Happening, wanted: Iterable[Told], profile: Profile, now: int) -> int:
    body = msgspec.to_builtins(happening)
    kept = Happened.objects.select_for_update().filter(pk=happening.id).first()
    if kept is None:
        if happening.state != "on":
            return 0  # nobody heard of it while it lasted
        kept = Happened(id=happening.id, kind=happening.kind, dataset=happening.dataset, mark=happening.mark)
    elif kept.mark == happening.mark:
        if kept.body != body:
            Happened.objects.filter(pk=kept.pk).update(body=body)
        return 0
    else:
        kept.stage += 1
    kept.mark, kept.body, kept.dataset = happening.mark, body, happening.dataset
    kept.changed = min(happening.changed, now)
    kept.save()
    return _write(kept, happening, wanted, profile, now)


def _write(kept: Happened, happening: Happening, wanted: Iterable[Told], profile: Profile, now: int) -> int:
    """A letter to each subscriber, however many of their subscriptions ask for it."""
    letters: dict[int, Letter] = {}
    moment = to_datetime(now)
    since = to_datetime(kept.changed)
    for subscription, selection in wanted:
        subscriber = subscription.subscriber
        new = subscription.confirmed is not None and subscription.confirmed <= since
        if new and subscriber.pk not in letters and matches(selection, happening, profile.geography):
            letters[subscriber.pk] = Letter(
                kind=Letter.NEWS,
                subscriber=subscriber,
                subscription=subscription,
                happened=kept,
                stage=kept.stage,
                made=moment,
                due=due_at(subscriber, moment, profile.time_zone, urgent=happening.urgent),
            )
    # a subscriber who left since they were read has no row to hang it on
    there = set(Subscription.objects.filter(pk__in=[each.subscription_id for each in letters.values()])
                .select_for_update().values_list("pk", flat=True))  # fmt: skip
    rows = [each for each in letters.values() if each.subscription_id in there]
    Letter.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _prune(now: int, days: int) -> None:
    """Forget what is over and was not changed for so long."""
    before = now - days * DAY
    old = Happened.objects.filter(changed__lt=before).exclude(letters__sent__isnull=True, letters__isnull=False)
    gone = [each.pk for each in old[:_MANY] if _is_over(each, before)]
    for place in range(0, len(gone), _CHUNK):
        Happened.objects.filter(pk__in=gone[place : place + _CHUNK]).delete()


def _is_over(kept: Happened, before: int) -> bool:
    """What goes on for long is known as long as it does: else it would be new again."""
    happening = read_body(kept)
    if happening.kind == "datasets" or happening.state != "on":
        return True
    return happening.until is not None and happening.until < before


def read_body(kept: Happened) -> Happening:
    """What was noted."""
    return msgspec.convert(kept.body, Happening)


def is_public(profile: Profile, kept: Happened) -> bool:
    """Whether everybody may know of it now."""
    source = SOURCES.get(kept.kind)
    return source is not None and source.is_public(profile, kept)


def recent(
    profile: Profile, selection: Selection, *, since: datetime, most: int, limit: int = _MANY
) -> list[tuple[Happened, Happening]]:
    """What matches and everybody may know of now, the newest change first; ``limit`` rows are looked at."""
    after = round(since.timestamp() * 1_000_000)
    rows = Happened.objects.filter(changed__gt=after)
    if selection.kinds:
        rows = rows.filter(kind__in=selection.kinds)
    if selection.dataset:
        rows = rows.filter(dataset=selection.dataset)
    found: list[tuple[Happened, Happening]] = []
    public: Callable[[Happened], bool] = lambda kept: is_public(profile, kept)  # noqa: E731  shorter than a function
    for kept in rows[:limit].iterator(chunk_size=500):
        happening = read_body(kept)
        if matches(selection, happening, profile.geography) and public(kept):
            found.append((kept, happening))
            if len(found) == most:
                break
    return found


def days_ago(days: int) -> datetime:
    """The moment so many days before now."""
    return timezone.now() - timedelta(days=days)
