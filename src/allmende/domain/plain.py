"""A profile as plain data, and what is said over it: the very tables that stand in ``city.toml`` and ``rules/*.toml``.

A :class:`Change` replaces one whole table (or brings a new one); nothing is merged inside of it, so that whoever reads
one table knows all that is said. What comes out is parsed and checked by the same words as a folder.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from allmende.domain.commons import Commons, lay_under, named
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError, check_id
from allmende.domain.profile_files import parse_profile
from allmende.domain.rule_files import FOLDER, read_rules
from allmende.domain.tables import plain
from allmende.domain.wording import check_property_id

KINDS = {
    "dataset": "datasets",
    "source": "sources",
    "retention": "retention",
    "thing": "things",
    "rule": "rules",
    "groups": "groups",
    "property": "properties",
    "synonym": "synonyms",
    "organisation": "organisations",
    "policy": "policies",
    "harvest": "harvests",
    "forecast": "forecasts",
    "alert": "alerts",
    "channel": "channels",
    "city": "",
}
"""What can be said over a profile -> the table that it stands in."""
CITY = ("catalogue", "facts", "geography", "calendar")
"""Keys of the kind ``city``: tables that there is one of."""
IN_RULES = ("rule", "groups")
_FILE = re.compile(r"(?:rules/)?[\w][\w.-]{0,99}\Z")
_DEEP = 20


def place_of(kind: str, key: str) -> str:
    """Where a table stands, as errors name it."""
    return f"{KINDS[kind]}.{key}" if KINDS[kind] else key


class Change(NamedTuple):
    """One table, said anew. ``body`` None: as in the folder, and gone where the folder does not have it."""

    kind: str
    key: str
    body: Mapping[str, Any] | None
    files: Mapping[str, bytes] = {}
    """What the body names that does not lie in the folder, by name; of rules with ``rules/`` before it."""


class PlainProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A read folder. Nothing of it is changed by anybody: what is said over it gives another one."""

    data: Mapping[str, Any]
    """``city.toml``."""
    rules: Mapping[str, Mapping[str, Any]]
    """``rules/*.toml`` by name."""
    files: Mapping[str, bytes]
    origins: Mapping[str, str] = {}
    """Tables that services brought -> their file."""

    def bodies(self, kind: str) -> dict[str, dict[str, Any]]:
        """All tables of a kind by their keys, in their order. Raises KeyError for another kind."""
        name = KINDS[kind]
        if kind in IN_RULES:
            return {key: body for file in self.rules.values() for key, body in file.get(name, {}).items()}
        if kind == "city":
            return {key: dict(self.data.get(key, {})) for key in CITY}
        if kind == "thing":
            return {str(body.get("id")): body for body in self.data.get(name, ())}
        return dict(self.data.get(name, {}))

    def body(self, kind: str, key: str) -> dict[str, Any] | None:
        """One table, or None."""
        return self.bodies(kind).get(key)

    def parse(self) -> Profile:
        """Checked. Raises ProfileError."""
        try:
            return parse_profile(self.data, self.files, self.rules)
        except ProfileError as error:
            raise named(error, self.origins) from None

    def under(self, changes: Iterable[Change]) -> "PlainProfile":
        """The profile with changes over it, each of another table."""
        data = {name: _copy(value) for name, value in self.data.items()}
        rules = {name: {table: dict(said) for table, said in file.items()} for name, file in self.rules.items()}
        files: dict[str, bytes] = {}
        for change in changes:
            files.update(change.files)
            if change.body is None:
                continue
            if change.kind in IN_RULES:
                _say_rule(rules, change)
            elif change.kind == "thing":
                _say_thing(data, change)
            elif change.kind == "city":
                data[change.key] = change.body
            else:
                _say(data, change)
        over = OverlaidFiles(self.files, files) if files else self.files
        return PlainProfile(data=data, rules=rules, files=over, origins=self.origins)


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, list) else value


def _say(data: dict[str, Any], change: Change) -> None:
    name = KINDS[change.kind]
    known = data.setdefault(name, {})
    if change.kind == "retention" and change.key not in known:
        # The first rule that fits holds: what is said later and on purpose goes before what catches all.
        data[name] = {change.key: change.body, **known}
    else:
        known[change.key] = change.body


def _say_thing(data: dict[str, Any], change: Change) -> None:
    known = data.setdefault("things", [])
    body = {**(change.body or {}), "id": change.key}
    for place, thing in enumerate(known):
        if isinstance(thing, Mapping) and thing.get("id") == change.key:
            known[place] = body
            return
    known.append(body)


def _say_rule(rules: dict[str, dict[str, Any]], change: Change) -> None:
    """Where it stands already, or else in a file of its own name."""
    name = KINDS[change.kind]
    file = next((f for f, said in rules.items() if change.key in said.get(name, {})), f"{FOLDER}{change.key}.toml")
    rules.setdefault(file, {}).setdefault(name, {})[change.key] = change.body


class OverlaidFiles(Mapping[str, bytes]):
    """Files over those of a folder."""

    def __init__(self, below: Mapping[str, bytes], above: Mapping[str, bytes]) -> None:
        self._below = below
        self.above = above

    def __getitem__(self, name: str) -> bytes:
        return self.above[name] if name in self.above else self._below[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._below
        yield from (name for name in self.above if name not in self._below)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def plain_profile(data: Mapping[str, Any], files: Mapping[str, bytes], commons: Sequence[Commons] = ()) -> PlainProfile:
    """What was read of a folder, over what services bring. Raises ProfileError for a file that is no TOML."""
    laid, beneath, origins = lay_under(plain(data), files, commons)
    return PlainProfile(data=laid, rules=read_rules(files), files=beneath, origins=origins)


def check_change(kind: str, key: str, names: Iterable[str] = ()) -> None:
    """Raise ProfileError where a change has no place of its own: an unknown kind, a key that is no id, a file's name
    that leads elsewhere."""
    if kind not in KINDS:
        raise ProfileError(kind, "is nothing that can be changed; known are %(kinds)s", kinds=", ".join(KINDS))
    if kind == "property":
        check_property_id(key, place_of(kind, key))
    else:
        check_id(key, place_of(kind, key))
    if kind == "city" and key not in CITY:
        raise ProfileError(key, "is nothing that can be changed; known are %(kinds)s", kinds=", ".join(CITY))
    for name in names:
        if not _FILE.match(name) or name.endswith(".toml") or ".." in name:
            raise ProfileError(f"files.{name}", "is no file's name: letters, digits, dots and hyphens, no .toml")


def clean(value: Any, place: str = "") -> Any:
    """Plain data that TOML can say: what is null is left out. Raises ProfileError with the place."""
    return _clean(plain(value), place, 0)


def _clean(value: Any, place: str, depth: int) -> Any:
    if depth > _DEEP:
        raise ProfileError(place, "is nested too deeply")
    if isinstance(value, dict):
        parts = {name: _clean(item, f"{place}.{name}".lstrip("."), depth + 1) for name, item in value.items()}
        return {name: item for name, item in parts.items() if item is not None}
    if isinstance(value, list):
        if any(item is None for item in value):
            raise ProfileError(place, "holds a null; leave it out")
        return [_clean(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise ProfileError(place, "is no number")
    if isinstance(value, str) and "\0" in value:
        raise ProfileError(place, "holds a sign that no text has (NUL)")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ProfileError(place, "is a %(name)s, which no profile holds", name=type(value).__name__)


class Difference(NamedTuple):
    """What is said otherwise at a place, e.g. ``title.de``. None: it is not said."""

    place: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Difference]:
    """What two tables say differently, in the order of the later one; lists count as a whole."""
    return list(_differ(before or {}, after or {}, ""))


def _differ(before: Mapping[str, Any], after: Mapping[str, Any], place: str) -> Iterator[Difference]:
    for name in dict.fromkeys((*after, *before)):
        old, new, here = before.get(name), after.get(name), f"{place}{name}"
        if old == new and type(old) is type(new):
            continue
        if isinstance(old, Mapping | None) and isinstance(new, Mapping | None) and (old or new):
            yield from _differ(old or {}, new or {}, f"{here}.")
        else:
            yield Difference(here, old, new)


def reverted(body: Mapping[str, Any], changed: Iterable[Difference]) -> tuple[dict[str, Any], list[str]]:
    """A table without changes that were made to it earlier, and the places where it says something else by now than
    they did: there nothing is taken back."""
    made, overlaid = {name: _deep(value) for name, value in body.items()}, []
    for place, before, after in changed:
        path = _path(made, place)
        if get_at(made, path) != after:
            overlaid.append(place)
        else:
            put_at(made, path, before)
    return made, overlaid


def _deep(value: Any) -> Any:
    return {name: _deep(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def _path(body: Mapping[str, Any], place: str) -> list[str]:
    """The keys that lead to a place; keys may have dots of their own, and what is there tells."""
    found: list[str] = []
    here: Any = body
    rest = place
    while rest:
        known = [name for name in here if rest == name or rest.startswith(f"{name}.")] if isinstance(here, dict) else []
        name = max(known, key=len, default=rest.partition(".")[0])
        found.append(name)
        here = here.get(name) if isinstance(here, dict) else None
        rest = rest[len(name) + 1 :]
    return found


def get_at(body: Any, path: list[str]) -> Any:
    """What a table says at the end of a path; None where it says nothing."""
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def put_at(body: dict[str, Any], path: list[str], value: Any) -> None:
    """Say something at the end of a path, or with None nothing; tables that become empty by that go too."""
    *way, last = path
    inner = [body]
    for name in way:
        following = inner[-1].get(name)
        if not isinstance(following, dict):
            if value is None:
                return
            following = inner[-1][name] = {}
        inner.append(following)
    if value is not None:
        inner[-1][last] = value
        return
    inner[-1].pop(last, None)
    for name, outer, table in zip(reversed(way), reversed(inner[:-1]), reversed(inner[1:]), strict=True):
        if not table:
            outer.pop(name)
