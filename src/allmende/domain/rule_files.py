"""The files ``rules/*.toml`` and the tables beside them: read, and checked for what each says by itself.

Every error names the file and the key in it.
"""

import csv
import io
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from allmende.domain.actions import read_actions
from allmende.domain.profile_checks import ProfileError, check_duration, check_id, check_origin, check_outline
from allmende.domain.rules import (
    ALL,
    BY_STREAM,
    BY_THING,
    GroupProfile,
    GroupsProfile,
    InputProfile,
    OutputProfile,
    RuleProfile,
    SuppressProfile,
    ThingOfRule,
    WindowProfile,
)
from allmende.domain.tables import convert, mapping, plain, tables
from allmende.domain.times import parse_months

FOLDER = "rules/"
_MAX_GROUPS = 10_000
_SHORTEST_REASON = 10


def read_rules(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """What all rule files say, as plain data by the file's name. Raises ProfileError for what is no TOML."""
    names = sorted(name for name in files if name.startswith(FOLDER) and name.endswith(".toml"))
    return {name: _read(name, files[name]) for name in names}


def parse_rules(
    files: Mapping[str, bytes], read: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[dict[str, GroupsProfile], dict[str, RuleProfile]]:
    """The groups and rules of all rule files, each by its id. Raises ProfileError with file and key.

    ``read`` is what the files say (:func:`read_rules`), where somebody read them already.
    """
    groups: dict[str, GroupsProfile] = {}
    rules: dict[str, RuleProfile] = {}
    for name, said in (read_rules(files) if read is None else read).items():
        data = dict(said)
        for key, body in tables(data.pop("groups", {}), f"{name}: groups").items():
            _new(key, groups, f"{name}: groups.{key}")
            groups[key] = _groups(key, body, files, f"{name}: groups.{key}")
        for key, body in tables(data.pop("rules", {}), f"{name}: rules").items():
            _new(key, rules, f"{name}: rules.{key}")
            rules[key] = _rule(key, body, name)
        for key in data:
            raise ProfileError(f"{name}: {key}", "is no known key; known are groups, rules")
    for rule in rules.values():
        if rule.by not in (BY_STREAM, BY_THING, ALL, *groups):
            known = ", ".join((BY_STREAM, BY_THING, ALL, *groups))
            raise ProfileError(f"{rule.place}.by", '"%(by)s" is neither of %(known)s', by=rule.by, known=known)
    return groups, rules


def _read(name: str, body: bytes) -> dict[str, Any]:
    try:
        return dict(plain(tomllib.loads(body.decode())))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(name, "is no TOML: %(error)s", error=error) from None


def _new(key: str, known: Iterable[str], place: str) -> None:
    if key in known:
        raise ProfileError(place, "is there twice, in one file or in two; each has an id of its own")


def _rule(key: str, body: dict[str, Any], file: str) -> RuleProfile:
    place = f"{file}: rules.{key}"
    for name in ("file", "id"):
        if name in body:
            raise ProfileError(f"{place}.{name}", "is no known key")
    parts: dict[str, Any] = {}
    for name, kind in (("inputs", InputProfile), ("outputs", OutputProfile)):
        listed = tables(body.get(name), f"{place}.{name}")
        if not listed:
            raise ProfileError(f"{place}.{name}", "is empty; a rule has at least one")
        parts[name] = {inner: convert(said, kind, f"{place}.{name}.{inner}") for inner, said in listed.items()}
    if "window" in body:
        parts["window"] = convert(mapping(body["window"], f"{place}.window"), WindowProfile, f"{place}.window")
    if "actions" in body:
        parts["actions"] = read_actions(body["actions"], f"{place}.actions")
    if "suppress" in body:
        parts["suppress"] = convert(
            mapping(body["suppress"], f"{place}.suppress"), SuppressProfile, f"{place}.suppress"
        )
    if "thing" in body:
        parts["thing"] = convert(mapping(body["thing"], f"{place}.thing"), ThingOfRule, f"{place}.thing")
    rest = {name: said for name, said in body.items() if name not in parts}
    rule = convert({**rest, "inputs": {}, "outputs": {}, "id": key, "file": file}, RuleProfile, place)
    rule = msgspec.structs.replace(rule, **parts)
    _check(rule)
    return rule


def _check(rule: RuleProfile) -> None:
    place, window = rule.place, rule.window
    if rule.version < 1:
        raise ProfileError(f"{place}.version", "begins with 1")
    check_names_of(rule)
    if window.every and not parse_months(window.every):
        check_duration(window.every, f"{place}.window.every")
    for key in ("length", "grace"):
        _length(getattr(window, key), f"{place}.window.{key}")
    if window.count < 0:
        raise ProfileError(f"{place}.window.count", "is a number of readings, or 0 for all")
    check_inputs(rule)
    if (rule.by == ALL) != (rule.thing is not None):
        raise ProfileError(f"{place}.thing", 'is what outputs hang on where by = "all", and nowhere else')
    check_opens(rule)
    if rule.suppress is not None:
        _check_suppress(rule, rule.suppress)
    for key, output in rule.outputs.items():
        if bool(output.expression) == bool(output.cases):
            raise ProfileError(f"{place}.outputs.{key}", "has either an expression or cases")


def check_names_of(rule: RuleProfile) -> None:
    """Raise ProfileError for names that expressions could not tell apart."""
    for name in (*rule.parameters, *rule.steps):
        check_id(name, f"{rule.place}.steps.{name}")
    names = [*rule.inputs, *rule.parameters, *rule.steps]
    for name in names:
        if "-" in name or names.count(name) > 1:
            raise ProfileError(f"{rule.place}.{name}", "is a name in expressions: one of its own, without hyphens")


def check_inputs(rule: RuleProfile) -> None:
    """Raise ProfileError for inputs that choose nothing, or that contradict the rest."""
    for key, put in rule.inputs.items():
        _check_input(put, rule, f"{rule.place}.inputs.{key}")
    if rule.by == BY_STREAM and len(rule.inputs) != 1:
        raise ProfileError(f"{rule.place}.by", "is each stream, so there is one input")


def check_opens(rule: RuleProfile) -> None:
    """Raise ProfileError where a closed dataset is read without a reason."""
    for key, reason in rule.opens.items():
        if len(reason.strip()) < _SHORTEST_REASON:
            raise ProfileError(f"{rule.place}.opens.{key}", "says why what is derived of it may be seen by others")


def _check_suppress(rule: RuleProfile, said: SuppressProfile) -> None:
    """One count for each window of a grid without overlaps: of more than one table of the same people, or of windows
    that overlap, the differences would tell what each by itself does not."""
    place = f"{rule.place}.suppress"
    if said.below < 2:
        raise ProfileError(f"{place}.below", "is the least count that is told: 2 or more")
    if said.nearest and not 1 <= said.nearest <= said.below:
        raise ProfileError(f"{place}.nearest", "lies between 1 and below")
    if not rule.window.every or rule.window.length or rule.window.count:
        raise ProfileError(f"{rule.place}.window", "has every, and neither length nor count: windows do not overlap")
    if len(rule.outputs) != 1 or any(output.type != "count" for output in rule.outputs.values()):
        raise ProfileError(
            f"{rule.place}.outputs", 'is one of the type "count"; sum up what is told, not what is counted'
        )
    if len(rule.inputs) != 1:
        raise ProfileError(f"{rule.place}.inputs", "is one, the count of people")
    if rule.actions:
        raise ProfileError(f"{rule.place}.actions", "would tell of the count; let another rule read what is told")


def _check_input(put: InputProfile, rule: RuleProfile, place: str) -> None:
    for key in ("age", "hold"):
        _length(getattr(put, key), f"{place}.{key}")
    ways = [name for name in ("streams", "property", "rule") if getattr(put, name)]
    if len(ways) != 1:
        raise ProfileError(place, "says which streams by one of streams, property, rule")
    if put.rule and put.rule.count(".") != 1:
        raise ProfileError(f"{place}.rule", 'is RULE.OUTPUT, not "%(rule)s"', rule=put.rule)
    if put.take == "readings" and not (rule.window.every or rule.window.length):
        raise ProfileError(f"{place}.take", "is all readings of a window; say window.every or window.length")
    if put.take == "readings" and put.age:
        raise ProfileError(f"{place}.age", "is for the latest reading; a window has window.length")


def _length(text: str, place: str) -> None:
    if text and text != "PT0S":
        check_duration(text, place)


# --- tables of groups ---


def _groups(key: str, body: dict[str, Any], files: Mapping[str, bytes], place: str) -> GroupsProfile:
    if "groups" in body:
        raise ProfileError(f"{place}.groups", "is no known key; they come from the table")
    head = convert({**body, "id": key}, GroupsProfile, place)
    check_origin(head.source, head.date, place)
    check_id(head.kind, f"{place}.kind")
    if head.match == "property" and not head.property:
        raise ProfileError(f"{place}.property", "is missing: which property of a thing says its group?")
    name = f"{FOLDER}{head.table}"
    if name not in files:
        raise ProfileError(f"{place}.table", 'there is no file "%(table)s" beside the rules', table=head.table)
    rows = _geojson(files[name], f"{place}.table") if name.endswith("json") else _csv(files[name], f"{place}.table")
    found: dict[str, GroupProfile] = {}
    for number, (row, outline) in enumerate(rows, 1):
        group = _group(head, row, outline, f"{place}.table, row {number}")
        known = found.get(group.key)
        if known is not None:
            group = msgspec.structs.replace(known, members=known.members | group.members)
        found[group.key] = group
        if len(found) > _MAX_GROUPS:
            raise ProfileError(f"{place}.table", "has more than %(max_groups)s groups", max_groups=_MAX_GROUPS)
    return msgspec.structs.replace(head, groups=tuple(found.values()))


def _group(head: GroupsProfile, row: Mapping[str, Any], outline: Any, place: str) -> GroupProfile:
    key = str(row.get(head.key) or "").strip()
    if not key:
        raise ProfileError(place, 'has no "%(key)s", by which its group is known', key=head.key)
    for column in head.facts:
        if column not in row:
            raise ProfileError(place, 'has no column "%(column)s"', column=column)
    thing = f"{head.prefix}{key}"
    check_id(thing, place)
    try:
        lon, lat = (float(row[name]) if row.get(name) not in (None, "") else None for name in ("lon", "lat"))
    except (TypeError, ValueError):
        raise ProfileError(place, "its lon and lat are degrees") from None
    return GroupProfile(
        key=key,
        thing=thing,
        name=str(row.get(head.name) or key),
        lon=lon,
        lat=lat,
        outline=outline,
        members=frozenset(str(row.get(head.member) or "").split()),
        facts={column: row[column] for column in head.facts if row[column] not in (None, "")},
    )


def _csv(body: bytes, place: str) -> list[tuple[dict[str, Any], None]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProfileError(place, "is no UTF-8: %(error)s", error=error) from None
    return [(dict(row), None) for row in csv.DictReader(io.StringIO(text))]


def _geojson(body: bytes, place: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    try:
        value = check_outline(msgspec.json.decode(body), place)
    except msgspec.DecodeError as error:
        raise ProfileError(place, "is no JSON: %(error)s", error=error) from None
    return [(feature["properties"], feature["geometry"]) for feature in value["features"]]
