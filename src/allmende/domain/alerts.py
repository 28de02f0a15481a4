"""What a city watches for, and whom it tells: ``[alerts.NAME]`` and ``[channels.NAME]`` of a profile.

Conditions are expressions of the rules' language (:mod:`allmende.knowledge.language`) over streams that are chosen as
rules choose theirs; what they mean is :mod:`allmende.knowledge.alerts`' to say. Durations are ISO 8601.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from allmende.domain.profile_checks import (
    ProfileError,
    check_address,
    check_clock,
    check_duration,
    check_id,
    check_responsible,
)
from allmende.domain.rule_files import check_inputs, check_names_of, check_opens
from allmende.domain.rules import (
    ALL,
    BY_STREAM,
    BY_THING,
    GroupsProfile,
    InputProfile,
    OutputProfile,
    PropertyProfile,
    RuleProfile,
    ThingOfRule,
    WindowProfile,
)
from allmende.domain.tables import convert, tables

Severity = Literal["minor", "moderate", "severe", "extreme"]
"""As CAP 1.2 orders them."""
SEVERITIES: tuple[Severity, ...] = ("minor", "moderate", "severe", "extreme")
Category = Literal[
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"
]
PLAIN = "plain"
"""Beside the languages of a text: the same in plain German (Einfache Sprache)."""
RAISE, CLEAR = "raise", "clear"
_VARIABLE = re.compile(r"ALERT_[A-Z0-9_]+\Z", re.ASCII)
_ROOM = re.compile(r"[!#][^\s:]+:\S+\Z")
_MOST_WEEKS = 52
_AGE = "PT2H"
"""How old the latest reading may be, where an input does not say it: alerts are judged by the clock."""


class EscalationProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told of an alert that nobody acknowledged."""

    after: str
    tell: list[str]
    """Ids of channels."""


class AlertProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert: one state for each stream, thing or group that it is ``by``, or one for all together."""

    id: str
    title: dict[str, str]
    """By language, and under ``plain`` in plain German."""
    dataset: str
    """Where it belongs: who may see it, and which closed streams it may read."""
    inputs: dict[str, InputProfile]
    raise_when: str = msgspec.field(name="raise")
    """An expression. What is missing is not true."""
    clear_when: str = msgspec.field(name="clear", default="")
    """Empty: what raises it is false. Between the two an alert stays as it is."""
    raise_after: str = msgspec.field(name="for", default="PT0S")
    """How long ``raise`` has to hold."""
    clear_after: str = msgspec.field(name="clear_for", default="PT0S")
    lapse: str = "P1D"
    """What lasts and cannot be judged any more, since nothing is known, ends by itself after so long."""
    late: str = "PT1H"
    """Readings that are older when they come tell nothing of their own time, only of what holds now."""
    severity: Severity = "moderate"
    category: Category = "Infra"
    description: dict[str, str] = {}
    """What it means."""
    advice: dict[str, str] = {}
    """What one should do."""
    public: bool = False
    """Whether everybody is told; of a dataset that is not open nobody is told who may not read it."""
    by: str = BY_STREAM
    window: str = ""
    """How far back ``take = "readings"`` and ``per_hour()`` look."""
    horizon: str = ""
    """How far ahead ``highest_ahead()`` and ``lowest_ahead()`` look."""
    weeks: int = 8
    """How many weeks ``usual()`` and ``deviation()`` look back."""
    least_weeks: int = 4
    """Of how many of them there have to be readings."""
    parameters: dict[str, str | int | float | bool] = {}
    steps: dict[str, str] = {}
    opens: dict[str, str] = {}
    tell: list[str] = []
    """Ids of channels."""
    escalate: list[EscalationProfile] = []
    enabled: bool = True

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"alerts.{self.id}"

    def rule(self) -> "AlertRule":
        """As a rule that gives two truths, so that one language, one choice of streams and one policy are meant."""
        clear = self.clear_when or f"not ({self.raise_when})"
        return AlertRule(
            id=self.id,
            file="",
            version=1,
            title=self.title,
            dataset=self.dataset,
            inputs={
                name: msgspec.structs.replace(put, age=put.age or _AGE) if put.take == "latest" else put
                for name, put in self.inputs.items()
            },
            outputs={RAISE: _truth(self.raise_when), CLEAR: _truth(clear)},
            by=self.by,
            window=WindowProfile(length=self.window),
            parameters=self.parameters,
            steps=self.steps,
            opens=self.opens,
            thing=ThingOfRule(id=f"alert-{self.id}", name=self.id) if self.by == ALL else None,
            enabled=self.enabled,
        )

    def edition(self, groups: Mapping[str, GroupsProfile]) -> str:
        """A digest of all that decides when it is raised and ended; an alert that fired says it."""
        said: dict[str, Any] = msgspec.to_builtins(self, order="deterministic")
        for name in ("title", "description", "advice", "tell", "escalate", "public", "enabled"):
            del said[name]
        if self.by in groups:
            said["groups"] = msgspec.to_builtins(groups[self.by], order="deterministic")
        return blake2b(msgspec.json.encode(said), digest_size=4).hexdigest()


class AlertRule(RuleProfile, frozen=True, kw_only=True):
    """An alert's conditions as the rules' machinery takes them; errors name the alert."""

    @property
    def place(self) -> str:
        """Where the alert stands."""
        return f"alerts.{self.id}"


def _truth(expression: str) -> OutputProfile:
    return OutputProfile(property=PropertyProfile(id="truth", name={}), expression=expression, type="truth")


class QuietProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a channel waits; what came meanwhile is told in one message afterwards."""

    start: str = msgspec.field(name="from")
    """Time of day in the city's zone."""
    end: str = msgspec.field(name="to")
    unless: Severity = "severe"
    """What is at least so severe is told at once."""


class ChannelProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way on which somebody is told."""

    id: str
    kind: Literal["mail", "webhook", "matrix"]
    title: dict[str, str] = {}
    to: list[str] = []
    """Of mail: addresses."""
    address: str = ""
    """Of a webhook where it is; of Matrix the home server."""
    room: str = ""
    """Of Matrix."""
    secret: str = ""
    """The name of an environment variable (``ALERT_…``) that holds the webhook's key, or the token of Matrix."""
    language: str = ""
    """Empty: the city's first."""
    quiet: QuietProfile | None = None
    enabled: bool = True


def parse_alerts(raw: object, groups: Mapping[str, GroupsProfile]) -> dict[str, AlertProfile]:
    """The checked alerts of plain data. Raises ProfileError that names the key."""
    found = {}
    for key, body in tables(raw, "alerts").items():
        place = f"alerts.{key}"
        listed = tables(body.get("inputs"), f"{place}.inputs")
        if not listed:
            raise ProfileError(f"{place}.inputs", "is empty; an alert watches at least one")
        inputs = {name: convert(said, InputProfile, f"{place}.inputs.{name}") for name, said in listed.items()}
        alert = convert({**body, "id": key, "inputs": {}}, AlertProfile, place, known=_keys(AlertProfile))
        alert = msgspec.structs.replace(alert, inputs=inputs)
        _check_alert(alert, groups)
        found[key] = alert
    return found


def parse_channels(raw: object) -> dict[str, ChannelProfile]:
    """The checked channels of plain data. Raises ProfileError that names the key."""
    found = {}
    for key, body in tables(raw, "channels").items():
        place = f"channels.{key}"
        channel = convert({**body, "id": key}, ChannelProfile, place, known=_keys(ChannelProfile))
        _check_channel(channel, place)
        found[key] = channel
    return found


def check_alerts(
    alerts: Mapping[str, AlertProfile],
    channels: Mapping[str, ChannelProfile],
    datasets: Mapping[str, object],
    languages: list[str],
) -> None:
    """What alerts and channels say of the rest of the profile. Raises ProfileError."""
    for alert in alerts.values():
        if alert.dataset not in datasets:
            known = ", ".join(datasets) or "none"
            raise ProfileError(
                f"{alert.place}.dataset",
                'there is no dataset "%(dataset)s"; there are %(known)s',
                dataset=alert.dataset,
                known=known,
            )
        for name in ("title", "description", "advice"):
            _check_texts(getattr(alert, name), languages, f"{alert.place}.{name}", needed=name == "title")
        _check_tell(alert.tell, channels, f"{alert.place}.tell")
        for number, step in enumerate(alert.escalate):
            _check_tell(step.tell, channels, f"{alert.place}.escalate[{number}].tell")
    for channel in channels.values():
        place = f"channels.{channel.id}"
        _check_texts(channel.title, languages, f"{place}.title", needed=False)
        if channel.language and channel.language not in languages:
            raise ProfileError(f"{place}.language", "is none of the city's: %(known)s", known=", ".join(languages))


def _keys(kind: Any) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_encode_fields__ if name != "id")


def _check_alert(alert: AlertProfile, groups: Mapping[str, GroupsProfile]) -> None:
    place = alert.place
    if not alert.raise_when.strip():
        raise ProfileError(f"{place}.raise", "is empty; it says when the alert is raised")
    if alert.by not in (BY_STREAM, BY_THING, ALL, *groups):
        known = ", ".join((BY_STREAM, BY_THING, ALL, *groups))
        raise ProfileError(f"{place}.by", '"%(by)s" is neither of %(known)s', by=alert.by, known=known)
    for key, length in (("for", alert.raise_after), ("clear_for", alert.clear_after)):
        if length != "PT0S":
            check_duration(length, f"{place}.{key}")
    for key in ("lapse", "late"):
        check_duration(getattr(alert, key), f"{place}.{key}")
    for key in ("window", "horizon"):
        if getattr(alert, key):
            check_duration(getattr(alert, key), f"{place}.{key}")
    if not 1 <= alert.least_weeks <= alert.weeks <= _MOST_WEEKS:
        raise ProfileError(f"{place}.least_weeks", "lies between 1 and weeks, and weeks is 52 at most")
    rule = alert.rule()
    check_names_of(rule)
    check_inputs(rule)
    check_opens(rule)
    for name in alert.parameters:
        check_id(name, f"{place}.parameters.{name}")
    for number, step in enumerate(alert.escalate):
        check_duration(step.after, f"{place}.escalate[{number}].after")
        if not step.tell:
            raise ProfileError(f"{place}.escalate[{number}].tell", "is empty; it names channels")


def _check_texts(texts: Mapping[str, str], languages: list[str], place: str, *, needed: bool) -> None:
    for key, text in texts.items():
        if key != PLAIN and key not in languages:
            raise ProfileError(
                f"{place}.{key}", "is no language of the city, nor plain; there are %(known)s",
                known=", ".join((*languages, PLAIN)),
            )  # fmt: skip
        if not text.strip():
            raise ProfileError(f"{place}.{key}", "is empty")
    if needed or texts:
        for language in languages:
            if language not in texts:
                raise ProfileError(f"{place}.{language}", "is missing: every language of the profile has its text")


def _check_tell(tell: list[str], channels: Mapping[str, ChannelProfile], place: str) -> None:
    for name in tell:
        if name not in channels:
            known = ", ".join(channels) or "none"
            raise ProfileError(place, 'there is no channel "%(name)s"; there are %(known)s', name=name, known=known)


def _check_channel(channel: ChannelProfile, place: str) -> None:
    said = {name for name in ("to", "address", "room", "secret") if getattr(channel, name)}
    needs = {"mail": {"to"}, "webhook": {"address", "secret"}, "matrix": {"address", "room", "secret"}}[channel.kind]
    for name in sorted(needs - said):
        raise ProfileError(f"{place}.{name}", "is missing: a channel of the kind %(kind)s has it", kind=channel.kind)
    for name in sorted(said - needs):
        raise ProfileError(f"{place}.{name}", "is nothing that a channel of the kind %(kind)s has", kind=channel.kind)
    for number, to in enumerate(channel.to):
        if not to.strip():
            raise ProfileError(f"{place}.to[{number}]", "is empty")
        check_responsible(to, f"{place}.to[{number}]")
    if channel.address and not channel.address.startswith(("https://", "http://")):
        raise ProfileError(f"{place}.address", "begins with http:// or https://")
    check_address(channel.address, f"{place}.address")
    if "$" in channel.address:
        raise ProfileError(f"{place}.address", "holds no variable; what is secret is named by secret")
    if channel.secret and not _VARIABLE.match(channel.secret):
        raise ProfileError(
            f"{place}.secret", '"%(name)s" is no environment variable of an alert, e.g. ALERT_KEY', name=channel.secret
        )
    if channel.room and not _ROOM.match(channel.room):
        raise ProfileError(f"{place}.room", '"%(room)s" is no room, e.g. !abc:city.example', room=channel.room)
    if channel.quiet is not None:
        check_clock(channel.quiet.start, f"{place}.quiet.from")
        check_clock(channel.quiet.end, f"{place}.quiet.to")
        if channel.quiet.start == channel.quiet.end:
            raise ProfileError(f"{place}.quiet.to", "is when it began: that is no time at all, or always")
