"""How long readings are kept, and how finely: what a city declares (``[retention.NAME]`` in its profile), and what
becomes of which span of a stream by it. What is not named is kept for ever.

Nothing here reads a clock or a database. Times are microseconds, UTC; buckets are those of
:mod:`allmende.domain.windows` in the city's zone. What is thinned is merged as :mod:`allmende.domain.thinning` says.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from allmende.domain.errors import InvalidInput
from allmende.domain.profile_checks import ProfileError
from allmende.domain.tables import convert, tables
from allmende.domain.times import DAY, HOUR, from_datetime, parse_duration, parse_months, to_datetime
from allmende.domain.windows import Grid

FOREVER, LATEST = "forever", "latest"
LATEST_AGE = HOUR
"""How old the newest but one may become where only the newest is kept: rules are applied so often."""
Take = Literal["mean", "minimum", "maximum", "sum", "first", "last"]


class ThinProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is older than ``after`` is merged to one reading for each ``bucket``."""

    after: str
    bucket: str
    take: Take = "mean"


class RetentionProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the streams that fit all that is said of them."""

    id: str
    dataset: str | list[str] = []
    source: str | list[str] = []
    """Of a derived stream ``rule/NAME``, of a forecast ``forecast/NAME``."""
    property: str | list[str] = []
    """Id of the observed property."""
    stream: str | list[str] = []
    """Id of the stream; ``*`` stands for any characters."""
    collection: str | list[str] = []
    """Id of a collection of features, likewise: then the rule is for collections alone."""
    keep: str = FOREVER
    """``forever``, ``latest`` (nothing but the newest reading), or for how long."""
    thin: list[ThinProfile] = []
    """The youngest first."""

    def edition(self) -> str:
        """Another one where another rule would make something else of the same readings."""
        said = msgspec.json.encode([self.id, [msgspec.to_builtins(step) for step in self.thin]])
        return blake2b(said, digest_size=8).hexdigest()


class StreamFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a stream where it is chosen."""

    id: str
    dataset: str
    source: str
    """The source or rule that declares it; empty: a client's."""
    properties: tuple[str, ...]
    count: int = 0
    first: int = 0
    """Phenomenon time of its oldest reading."""
    newest: int = 0


class CollectionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a collection of features where it is chosen."""

    id: str
    dataset: str
    source: str


class Fate(NamedTuple):
    """What becomes of the readings of a stream from ``low`` to before ``high``; None: from the first one on."""

    kind: Literal["delete", "latest", "thin"]
    low: int | None = None
    high: int = 0
    step: int = 0
    """Which of the rule's ``thin`` it is."""


def parse_retention(raw: object) -> dict[str, RetentionProfile]:
    """The checked rules of plain data, in their order. Raises ProfileError that names the key."""
    rules = {}
    for name, body in tables(raw, "retention").items():
        place = f"retention.{name}"
        rule = convert({**body, "id": name}, RetentionProfile, place)
        if not any((rule.dataset, rule.source, rule.property, rule.stream, rule.collection)):
            raise ProfileError(place, 'names no dataset, source, property or stream; stream = "*" are all')
        if rule.collection:
            for key in ("property", "stream", "thin"):
                if getattr(rule, key):
                    raise ProfileError(f"{place}.{key}", "is for readings; a rule for collections has none")
        _check_keep(rule, place)
        _check_steps(rule, place)
        rules[name] = rule
    return rules


def check_names(rules: Mapping[str, RetentionProfile], datasets: Iterable[str], sources: Iterable[str]) -> None:
    """Raise ProfileError where a rule names a dataset or source that the profile has not; rules and forecasts are
    sources, too (``rule/NAME``, ``forecast/NAME``)."""
    every = {"dataset": set(datasets), "source": set(sources)}
    for name, rule in rules.items():
        for key, known in every.items():
            for said in listed(getattr(rule, key)):
                if said not in known:
                    there = ", ".join(sorted(known)) or "none"
                    raise ProfileError(
                        f"retention.{name}.{key}",
                        'there is no %(key)s "%(said)s"; there are %(there)s',
                        key=key,
                        said=said,
                        there=there,
                    )


def listed(said: str | list[str]) -> list[str]:
    """One or several."""
    return [said] if isinstance(said, str) and said else list(said)


def _check_keep(rule: RetentionProfile, place: str) -> None:
    if rule.keep in (FOREVER, LATEST):
        if rule.keep == LATEST and rule.thin:
            raise ProfileError(f"{place}.thin", 'has nothing to thin where keep = "latest"')
        return
    if _length(rule.keep, f"{place}.keep", f', "{FOREVER}" or "{LATEST}"') <= 0:
        raise ProfileError(f"{place}.keep", '"%(keep)s" is no time at all', keep=rule.keep)


def _check_steps(rule: RetentionProfile, place: str) -> None:
    ages, before = 0, ""
    for number, step in enumerate(rule.thin):
        at = f"{place}.thin[{number}]"
        age = _length(step.after, f"{at}.after")
        if age <= ages:
            raise ProfileError(
                f"{at}.after", '"%(after)s" is not later than what goes before; the youngest first', after=step.after
            )
        if step.take != rule.thin[0].take:
            raise ProfileError(
                f"{at}.take",
                '"%(take)s" cannot be told from "%(first)s": all take the same',
                take=step.take,
                first=rule.thin[0].take,
            )
        try:
            Grid(step.bucket, "UTC")
        except InvalidInput as error:
            raise ProfileError(f"{at}.bucket", "%(error)s", error=error) from None
        if before and not _nests(before, step.bucket):
            raise ProfileError(
                f"{at}.bucket", '"%(bucket)s" is not made of whole "%(before)s"', bucket=step.bucket, before=before
            )
        ages, before = age, step.bucket
    if rule.thin and rule.keep != FOREVER and _length(rule.keep, f"{place}.keep") <= ages:
        raise ProfileError(
            f"{place}.keep",
            '"%(keep)s" ends before "%(after)s", when it would be thinned',
            keep=rule.keep,
            after=rule.thin[-1].after,
        )


def _length(text: str, place: str, more: str = "") -> int:
    """Microseconds, of months at least so many."""
    months = parse_months(text)
    if months is not None:
        return months * 28 * DAY
    try:
        return parse_duration(text)
    except InvalidInput as error:
        raise ProfileError(place, "%(error)s%(more)s", error=error, more=more) from None


def _nests(small: str, large: str) -> bool:
    months, more = parse_months(small), parse_months(large)
    if months is not None:
        return more is not None and more > months and more % months == 0
    length = parse_duration(small)
    if more is not None:
        return DAY % length == 0
    return parse_duration(large) > length and parse_duration(large) % length == 0


class Retention:
    """A city's rules."""

    def __init__(self, rules: Mapping[str, RetentionProfile], zone: str) -> None:
        self._rules = [
            (rule, [re.compile(_pattern(p)) for p in listed(rule.stream)])
            for rule in rules.values()
            if not rule.collection
        ]
        self._collections = [
            (rule, [re.compile(_pattern(p)) for p in listed(rule.collection)])
            for rule in rules.values()
            if rule.collection
        ]
        self._zone = zone
        self._grids: dict[str, Grid] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._rules or self._collections)

    def rule_of(self, stream: StreamFacts) -> RetentionProfile | None:
        """The first rule that fits, as they stand in the profile."""
        for rule, patterns in self._rules:
            fits = (
                (not rule.dataset or stream.dataset in listed(rule.dataset))
                and (not rule.source or stream.source in listed(rule.source))
                and (not rule.property or not set(stream.properties).isdisjoint(listed(rule.property)))
                and (not patterns or any(pattern.fullmatch(stream.id) for pattern in patterns))
            )
            if fits:
                return rule
        return None

    def rule_of_collection(self, collection: CollectionFacts) -> RetentionProfile | None:
        """The first rule for collections that fits."""
        for rule, patterns in self._collections:
            if (
                (not rule.dataset or collection.dataset in listed(rule.dataset))
                and (not rule.source or collection.source in listed(rule.source))
                and any(pattern.fullmatch(collection.id) for pattern in patterns)
            ):
                return rule
        return None

    def horizon(self, rule: RetentionProfile, now: int) -> int | None:
        """What ended by then is kept no more at ``now``; None: it is kept for ever."""
        if rule.keep == FOREVER:
            return None
        return now if rule.keep == LATEST else before(now, rule.keep, self._zone)

    def edge(self, rule: RetentionProfile, now: int) -> int | None:
        """Before it readings may be gone or merged at ``now``; None: all are as they came."""
        edges = [before(now, step.after, self._zone) for step in rule.thin[:1]]
        if rule.keep == LATEST:
            edges.append(now - LATEST_AGE)
        elif rule.keep != FOREVER:
            edges.append(before(now, rule.keep, self._zone))
        return max(edges, default=None)

    def grid(self, bucket: str) -> Grid:
        """The buckets of a length, in the city's time."""
        if bucket not in self._grids:
            self._grids[bucket] = Grid(bucket, self._zone)
        return self._grids[bucket]

    def judge(self, rule: RetentionProfile, now: int) -> list[Fate]:
        """What becomes of a stream's readings at ``now``, in the order in which it is to be done.

        What is oldest comes first, so that each reading is merged once. No bucket is thinned before all of it is old
        enough, nor when a part of it was deleted.
        """
        if rule.keep == LATEST:
            return [Fate("latest")]
        fates = []
        low = None
        if rule.keep != FOREVER:
            low = before(now, rule.keep, self._zone)
            fates.append(Fate("delete", None, low))
        for number in reversed(range(len(rule.thin))):
            step = rule.thin[number]
            grid = self.grid(step.bucket)
            high = grid.floor(before(now, step.after, self._zone))
            if low is not None and grid.floor(low) < low:
                low = grid.after(low)
            if low is None or low < high:
                fates.append(Fate("thin", low, high, number))
                low = high
        return fates


def before(now: int, length: str, zone: str) -> int:
    """The moment that lies so long before ``now``; months are those of the city's calendar."""
    months = parse_months(length)
    if months is None:
        return now - parse_duration(length)
    local = to_datetime(now).astimezone(ZoneInfo(zone))
    year, month = divmod(local.year * 12 + local.month - 1 - months, 12)
    if year < 1:
        raise InvalidInput("%(length)s before %(year)s lies outside of the calendar", length=length, year=local.year)
    day = min(local.day, monthrange(year, month + 1)[1])
    return from_datetime(local.replace(year=year, month=month + 1, day=day))


def _pattern(text: str) -> str:
    return ".*".join(map(re.escape, text.split("*")))
