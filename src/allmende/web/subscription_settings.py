"""Settings of subscriptions: a part of Config, which says where they come from."""

from typing import Annotated

import msgspec

from allmende.web.setting import describe as _setting

_SECTION = "Subscriptions"


class SubscriptionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one subscriber may ask for, how long is waited for them, and where browsers' messages may be sent."""

    subscription_rate: Annotated[
        int,
        _setting(
            "ALLMENDE_SUBSCRIPTION_RATE",
            _SECTION,
            "Subscriptions, and links to one's own list, that are asked for from one network address a minute.",
            low=1,
        ),
    ] = 5
    subscription_letters: Annotated[
        int,
        _setting(
            "ALLMENDE_SUBSCRIPTION_LETTERS",
            _SECTION,
            "Mails in 24 hours that one address gets because somebody wrote it into a form: whoever wants to annoy "
            "others gets no further.",
            low=1,
        ),
    ] = 5
    subscription_each: Annotated[
        int, _setting("ALLMENDE_SUBSCRIPTION_EACH", _SECTION, "Subscriptions that one address may have.", low=1)
    ] = 20
    subscription_hours: Annotated[
        float,
        _setting(
            "ALLMENDE_SUBSCRIPTION_HOURS",
            _SECTION,
            "Hours after which a subscription that nobody confirmed is deleted, with its address.",
            low=0.1,
            high=720,
        ),
    ] = 48.0
    subscription_patience: Annotated[
        float,
        _setting(
            "ALLMENDE_SUBSCRIPTION_PATIENCE",
            _SECTION,
            "Hours for which a message that cannot be handed over is tried again.",
            low=1,
        ),
    ] = 48.0
    subscription_refusals: Annotated[
        int,
        _setting(
            "ALLMENDE_SUBSCRIPTION_REFUSALS",
            _SECTION,
            "How often a mail server may say for good that it takes nothing for an address, until that is deleted.",
            low=1,
        ),
    ] = 3
    subscription_days: Annotated[
        int,
        _setting(
            "ALLMENDE_SUBSCRIPTION_DAYS",
            _SECTION,
            "Days for which feeds and calendars show what is over.",
            low=31,
            high=3660,
        ),
    ] = 90
    subscription_entries: Annotated[
        int, _setting("ALLMENDE_SUBSCRIPTION_ENTRIES", _SECTION, "Entries of a feed or a calendar at most.", low=10)
    ] = 200
    subscription_features: Annotated[
        int,
        _setting(
            "ALLMENDE_SUBSCRIPTION_FEATURES",
            _SECTION,
            "Objects of one collection that are looked at for what begins or ends.",
            low=1000,
        ),
    ] = 20_000
    push_hosts: Annotated[
        tuple[str, ...],
        _setting(
            "ALLMENDE_PUSH_HOSTS",
            _SECTION,
            "Push services of browsers to which messages may be sent, by HTTPS alone; `*.` stands for any name before "
            "it. `*` allows all that have a public address. Empty: browsers get no messages.",
        ),
    ] = (
        "fcm.googleapis.com",
        "*.push.services.mozilla.com",
        "*.notify.windows.com",
        "*.push.apple.com",
    )
