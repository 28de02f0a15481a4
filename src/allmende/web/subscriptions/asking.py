"""Subscribing and leaving. Whoever asks learns nothing of an address: neither whether it is known, nor for what."""

import secrets
from datetime import datetime, time, timedelta

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from allmende.web.config import Config
from allmende.web.subscriptions.models import AT_ONCE, DAYS, MAIL, PUSH, Letter, Subscriber, Subscription
from allmende.web.subscriptions.sealing import mark_of, seal
from allmende.web.subscriptions.selection import Selection

REMIND = timedelta(days=30)
"""So long before the end somebody is asked whether they want to stay."""
SENT_DAYS = 7
"""What was sent is forgotten then."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody wants to be told."""

    language: str = "de"
    rhythm: str = AT_ONCE
    quiet_from: time | None = None
    quiet_to: time | None = None
    urgent: bool = True


def ask_by_mail(address: str, selection: Selection, wishes: Wishes, config: Config) -> None:
    """Keep what was asked for until it is confirmed, and write the letter for that.

    To an address that gets letters already its wishes stay as they are: they are changed by their own link. Where it
    has all that it may have, or the same already, it gets that link instead. Beyond the limits nothing is written.
    """
    with transaction.atomic():
        subscriber = _find_or_make(MAIL, address, mark_of(MAIL, address))
        if _is_pestered(subscriber, config):
            return
        if subscriber.confirmed is None:
            wish(subscriber, wishes)
        subscription = _find_or_add(subscriber, selection, config)
        if subscription is None or subscription.confirmed is not None:
            Letter.objects.create(kind=Letter.LINK, subscriber=subscriber)
        else:
            Letter.objects.create(kind=Letter.CONFIRM, subscriber=subscriber, subscription=subscription)


def ask_for_link(address: str, config: Config) -> None:
    """Write the link to their list to who has one; nothing to others."""
    with transaction.atomic():
        subscriber = Subscriber.objects.select_for_update().filter(mark=mark_of(MAIL, address)).first()
        if subscriber is not None and subscriber.confirmed is not None and not _is_pestered(subscriber, config):
            Letter.objects.create(kind=Letter.LINK, subscriber=subscriber)


def subscribe_browser(endpoint: str, keys: str, selection: Selection, wishes: Wishes, config: Config) -> Subscriber:
    """A browser that its person let ask: no letter is needed. ``keys`` is what is sealed, with the endpoint in it."""
    now = timezone.now()
    with transaction.atomic():
        subscriber = _find_or_make(PUSH, keys, mark_of(PUSH, endpoint))
        subscriber.sealed = seal(keys)  # a browser may take new keys
        wish(subscriber, wishes)
        subscription = _find_or_add(subscriber, selection, config)
        if subscription is not None:
            confirm(subscription, now)
    return subscriber


def move_browser(before: str, endpoint: str, keys: str) -> Subscriber | None:
    """A browser that was known by ``before`` has another endpoint now; None where none was. Whoever knows an endpoint
    is the browser, or its push service. Where the new one is known too, both become one."""
    with transaction.atomic():
        subscriber = Subscriber.objects.select_for_update().filter(way=PUSH, mark=mark_of(PUSH, before)).first()
        known = Subscriber.objects.select_for_update().filter(mark=mark_of(PUSH, endpoint)).first()
        if subscriber is None or known == subscriber:
            return subscriber
        if known is not None:
            has = {msgspec.json.encode(each.selection) for each in known.subscriptions.all()}
            for each in subscriber.subscriptions.all():
                if msgspec.json.encode(each.selection) not in has:
                    Subscription.objects.filter(pk=each.pk).update(subscriber=known)
            subscriber.delete()  # its letters would reach nobody
            return known
        subscriber.sealed, subscriber.mark, subscriber.refusals = seal(keys), mark_of(PUSH, endpoint), 0
        subscriber.save(update_fields=["sealed", "mark", "refusals"])
        return subscriber


def wish(subscriber: Subscriber, wishes: Wishes) -> None:
    """How they want to be told from now on."""
    for name, value in msgspec.structs.asdict(wishes).items():
        setattr(subscriber, name, value)
    subscriber.save()


def confirm(subscription: Subscription, now: datetime) -> None:
    """It holds from now on, and its subscriber stays for another year. Safe to repeat."""
    if subscription.confirmed is None:
        subscription.confirmed = now
        subscription.save(update_fields=["confirmed"])
    renew(Subscriber.objects.get(pk=subscription.subscriber_id), now)


def renew(subscriber: Subscriber, now: datetime) -> None:
    """Stay for another year."""
    Subscriber.objects.filter(pk=subscriber.pk).update(
        confirmed=subscriber.confirmed or now, until=now + timedelta(days=DAYS), reminded=None
    )


def leave(subscriber: Subscriber, subscription: int = 0) -> None:
    """End one subscription, or all (0). With the last one the address goes."""
    with transaction.atomic():
        mine = Subscription.objects.filter(subscriber=subscriber)
        (mine.filter(pk=subscription) if subscription else mine).delete()
        if not mine.exists():
            subscriber.delete()


def tidy(now: datetime, config: Config) -> int:
    """Delete what nobody confirmed or renewed, and what was sent long ago; remind those whose year ends. Gives how many
    subscribers went."""
    asked = now - timedelta(hours=config.subscription_hours)
    Subscription.objects.filter(confirmed__isnull=True, created__lt=asked).delete()
    has_some = Exists(Subscription.objects.filter(subscriber=OuterRef("pk")))
    gone = Subscriber.objects.filter(created__lt=asked).exclude(has_some).delete()[1]
    over = Subscriber.objects.filter(until__lt=now).delete()[1]
    Letter.objects.filter(sent__lt=now - timedelta(days=SENT_DAYS)).delete()
    Letter.objects.filter(given_up__lt=now - timedelta(days=SENT_DAYS)).delete()
    with transaction.atomic():
        ending = Subscriber.objects.select_for_update().filter(until__lt=now + REMIND, reminded__isnull=True)
        for subscriber in ending:
            Letter.objects.create(kind=Letter.RENEW, subscriber=subscriber, made=now, due=now)
            Subscriber.objects.filter(pk=subscriber.pk).update(reminded=now)
    return sum(found.get("subscriptions.Subscriber", 0) for found in (gone, over))


def _find_or_make(way: str, address: str, mark: str) -> Subscriber:
    found = Subscriber.objects.select_for_update().filter(mark=mark).first()
    if found is not None:
        return found
    made = Subscriber(way=way, sealed=seal(address), mark=mark, key=secrets.token_urlsafe(24))
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:  # two asked at once
        return Subscriber.objects.select_for_update().get(mark=mark)
    return made


def _find_or_add(subscriber: Subscriber, selection: Selection, config: Config) -> Subscription | None:
    """The subscription; None where there are as many as may be."""
    known = list(Subscription.objects.filter(subscriber=subscriber))
    for each in known:
        if msgspec.convert(each.selection, Selection) == selection:
            return each
    if len(known) >= config.subscription_each:
        return None
    return Subscription.objects.create(subscriber=subscriber, selection=msgspec.to_builtins(selection))


def _is_pestered(subscriber: Subscriber, config: Config) -> bool:
    """Whether forms have made it get as many letters as one address may get in a day."""
    day = timezone.now() - timedelta(days=1)
    letters = Letter.objects.filter(subscriber=subscriber, made__gt=day, kind__in=(Letter.CONFIRM, Letter.LINK))
    return letters.count() >= config.subscription_letters
