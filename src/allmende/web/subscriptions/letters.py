"""Letters in words: what goes to one subscriber at once."""

import hashlib
from collections.abc import Sequence
from email.utils import formataddr
from typing import Any

from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from allmende.domain.profile import Profile
from allmende.web.config import Config
from allmende.web.subscriptions.ledger import read_body
from allmende.web.subscriptions.links import confirm_link, manage_link, off_link, renew_link, root
from allmende.web.subscriptions.models import Letter, Subscriber, Subscription
from allmende.web.subscriptions.sealing import unseal
from allmende.web.subscriptions.wording import Line, say_happening

_LONGEST = 150


def make_mail(letters: Sequence[Letter], profile: Profile, config: Config, connection: Any) -> EmailMessage:
    """One mail of letters that have one subscriber and one parcel. Its Message-ID is the parcel's."""
    subscriber = letters[0].subscriber
    one = only_subscription(letters)
    off = off_link(subscriber, one)
    with override(subscriber.language):
        subject, text = words_of(letters, profile)
        foot = _foot(subscriber, off) if letters[0].kind != Letter.CONFIRM else ""
    sender = config.mail_from or None
    headers = {
        "Message-ID": f"<subscription.{digest_of(letters)}@{profile.id}.allmende.invalid>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no answering machine answers
    }
    if letters[0].kind == Letter.NEWS:
        headers |= {"List-Unsubscribe": f"<{off}>", "List-ID": f"<subscriptions.{profile.id}.allmende.invalid>"}
        if off.startswith("https://"):  # RFC 8058, 3.1: the address has to be one
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return EmailMessage(
        subject=" ".join(subject.split())[:_LONGEST],
        body=f"{text}\n{foot}",
        from_email=formataddr((profile.name, sender)) if sender else None,
        to=[unseal(subscriber.sealed)],
        headers=headers,
        connection=connection,
    )


def digest_of(letters: Sequence[Letter]) -> str:
    """What the parcel is called outside: the same however often it goes."""
    return hashlib.sha256(f"allmende {letters[0].parcel}".encode()).hexdigest()[:32]


def only_subscription(letters: Sequence[Letter]) -> Subscription | None:
    """The subscription because of which they go, where it is one."""
    first = letters[0].subscription
    return first if all(letter.subscription_id == letters[0].subscription_id for letter in letters) else None


def words_of(letters: Sequence[Letter], profile: Profile) -> tuple[str, str]:
    """Subject and text in the active language."""
    first = letters[0]
    city = profile.name
    if first.kind == Letter.CONFIRM and first.subscription is not None:
        return _("%(city)s: please confirm your subscription") % {"city": city}, _(
            "Somebody asked that news of %(city)s be sent to this address. Was it you? Then open this page and press "
            "the button:\n\n%(link)s\n\nWas it not you? Then do nothing. You get no more mail, and we delete this "
            "address by ourselves.\n"
        ) % {"city": city, "link": confirm_link(first.subscription)}
    if first.kind == Letter.LINK:
        return _("%(city)s: your subscriptions") % {"city": city}, _(
            "Somebody asked for your subscriptions with this address. Here you see them, change them and end them:"
            "\n\n%(link)s\n\nWas it not you? Then do nothing. Nothing has changed.\n"
        ) % {"city": city, "link": manage_link(first.subscriber)}
    if first.kind == Letter.RENEW:
        return _("%(city)s: do you still want our news?") % {"city": city}, _(
            "It is nearly a year since you confirmed that you want news of %(city)s. Do you want to go on? Then open "
            "this page and press the button:\n\n%(link)s\n\nDo you not want that? Then do nothing. We then delete "
            "this address and your subscriptions by ourselves.\n"
        ) % {"city": city, "link": renew_link(first.subscriber)}
    lines = [say_happening(read_body(letter.happened), profile.time_zone) for letter in letters if letter.happened]
    return _subject(lines, city), "\n\n– – –\n\n".join(_block(line) for line in lines) + "\n"


def _subject(lines: Sequence[Line], city: str) -> str:
    if len(lines) == 1:
        line = lines[0]
        return f"[{line.mark}] {line.title}" if line.mark else line.title
    words = ngettext("%(city)s: %(count)s piece of news", "%(city)s: %(count)s pieces of news", len(lines))
    return words % {"city": city, "count": len(lines)}


def _block(line: Line) -> str:
    head = f"{line.mark}: {line.title}" if line.mark else line.title
    where = _("Where: %(where)s") % {"where": line.where} if line.where and line.where not in line.title else ""
    when = _("When: %(when)s") % {"when": line.when} if line.when else ""
    more = _("More: %(address)s") % {"address": f"{root()}{line.page}"} if line.page else ""
    return "\n".join(part for part in (head, line.text, when, where, more) if part)


def _foot(subscriber: Subscriber, off: str) -> str:
    return _(
        "\n-- \nYou get this mail because you subscribed.\nYour subscriptions: %(mine)s\nNo more of this: %(off)s\n"
    ) % {"mine": manage_link(subscriber), "off": off}
