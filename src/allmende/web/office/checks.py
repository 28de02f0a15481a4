"""The checks of a draft: those of a folder, over what is in force."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from allmende.domain.errors import ConfigurationError, LimitExceeded
from allmende.domain.plain import Change
from allmende.domain.profile import Profile, SourceProfile
from allmende.domain.profile_checks import ProfileError
from allmende.knowledge.alerts.prepare import prepare_alerts
from allmende.knowledge.prepare import prepare_rules
from allmende.web.live import live, released_changes
from allmende.web.services import check_services

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def checked_size(body: dict[str, Any]) -> dict[str, Any]:
    """The body. Raises LimitExceeded."""
    most = settings.ALLMENDE.office_file_bytes
    if len(json.dumps(body)) > most:
        raise LimitExceeded(
            _n("it is larger than %(most)s MB"), setting="ALLMENDE_OFFICE_FILE_BYTES", most=f"{most / 1e6:,.1f}"
        )
    return body


def checked_profile(changes: Iterable[Change]) -> Profile:
    """The profile as it is with changes over what is in force. Raises ProfileError."""
    listed = list(changes)
    anew = {(change.kind, change.key) for change in listed}
    others = [change for change in released_changes() if (change.kind, change.key) not in anew]
    _check_files(listed, others)
    profile = live().read_folder().under([*others, *listed]).parse()
    check_services(profile)
    _check_rules(profile)
    return profile


def is_wrong() -> bool:
    """Whether the folder as it is and what is in force do not go together."""
    try:
        check_services(live().read_folder().under(released_changes()).parse())
    except ConfigurationError:
        return True
    return False


def check(changes: Iterable[Change], beside: Iterable[Change] = ()) -> list[str]:
    """Check changes with what goes along; gives warnings in words. Raises ProfileError."""
    listed = list(changes)
    profile = checked_profile([*beside, *listed])
    return [warning for change in listed for warning in _warnings(change, profile)]


def furnish_with(profile: Profile) -> None:
    """Let the store know the datasets, in the transaction that is open: who may read what changes with the release."""
    from allmende.web.house import furnish, open_store

    furnish(open_store(), profile)


def _check_files(changes: Iterable[Change], others: Iterable[Change]) -> None:
    """No two tables bring different files of one name."""
    known: dict[str, tuple[Change, bytes]] = {}
    for change in (*others, *changes):
        for name, body in change.files.items():
            if change.body is not None and known.setdefault(name, (change, body))[1] != body:
                other = known[name][0]
                raise ProfileError(
                    f"files.{name}",
                    _n("is another file of %(kind)s %(key)s; give it its own name"),
                    kind=other.kind,
                    key=other.key,
                )


def _check_rules(profile: Profile) -> None:
    """Expressions are compiled too; what was wrong before is not this change's."""
    from allmende.web.house import open_profile

    found = _errors(profile)
    if not found:
        return
    try:
        known = {name: str(error) for name, error in _errors(open_profile()).items()}
    except ConfigurationError:  # what is in force is wrong itself, and this is to mend it
        return
    for name, error in found.items():
        if known.get(name) != str(error):
            raise error


def _errors(profile: Profile) -> dict[tuple[str, str], ProfileError]:
    """Of rules and alerts."""
    rules = prepare_rules(profile)
    alerts = prepare_alerts(profile, rules)
    return {("rule", name): error for name, error in rules.errors.items()} | {
        ("alert", name): error for name, error in alerts.errors.items()
    }


def _warnings(change: Change, profile: Profile) -> Iterable[str]:
    if change.body is None:
        return
    if change.kind == "rule":
        yield from _rule_warnings(change.key, profile)
    if change.kind != "source":
        return
    from allmende.web.sources import prepare_sources

    source = profile.sources[change.key]
    yield from prepare_sources(profile)[change.key].problems
    secrets = sent_secrets(source)
    if secrets:
        yield _("it sends %(secrets)s to %(host)s") % {
            "secrets": ", ".join(sorted(secrets)),
            "host": _host(source) or _("an address that its connector knows"),
        }


def _rule_warnings(key: str, profile: Profile) -> Iterable[str]:
    """What is set going for real, and was not."""
    from allmende.web.house import open_profile

    known = open_profile().rules.get(key)
    for name, action in profile.rules[key].actions.items():
        before = known.actions.get(name) if known else None
        if not action.dry_run and (before is None or before.dry_run or before.capability != action.capability):
            yield _("it really gives tasks to %(capability)s, up to %(limit)s within an hour") % {
                "capability": action.capability,
                "limit": action.limit,
            }


def sent_secrets(source: SourceProfile) -> frozenset[str]:
    """Names of secrets that a source sends to where it did not send them before."""
    from allmende.web.house import open_profile

    known, secrets = open_profile().sources.get(source.id), _secrets(source)
    if known is not None and _host(known) == _host(source) and known.connector == source.connector:
        return secrets - _secrets(known)
    return secrets


def _secrets(source: SourceProfile) -> frozenset[str]:
    headers: Mapping[str, str] = source.headers
    return frozenset(
        [*source.secrets.values(), *(name for text in headers.values() for name in _VARIABLE.findall(text))]
    )


def _host(source: SourceProfile) -> str:
    return urlsplit(source.address).netloc
