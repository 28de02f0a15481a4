"""What a city declares of its rules: how streams are derived from others. Files ``rules/*.toml`` beside city.toml.

:mod:`allmende.domain.rule_files` reads it and checks its shape; what the expressions mean is
:mod:`allmende.knowledge`'s to say. Times are ISO 8601 durations, units UCUM.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from allmende.domain.actions import ActionProfile
from allmende.domain.times import parse_duration

BY_STREAM, BY_THING, ALL = "stream", "thing", "all"


class GroupProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One group: a site, an area. ``outline`` is a GeoJSON geometry, ``members`` are ids of things."""

    key: str
    thing: str
    """The id of the thing that stands for it."""
    name: str
    lon: float | None = None
    lat: float | None = None
    outline: Mapping[str, Any] | None = None
    members: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = {}


class GroupsProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Groups of things, from a table beside the rules: CSV, or GeoJSON with outlines."""

    id: str
    table: str
    kind: str
    """The kind of the things that stand for the groups, e.g. ``soil-site``."""
    title: dict[str, str]
    source: str
    """Where the table is from."""
    date: str
    match: Literal["members", "inside", "property"] = "members"
    """Whose streams belong to a group: those of the things it names, those of things that stand inside of its outline,
    or those of things with its key as a property."""
    key: str = "id"
    """The column that tells one group from another; rows with the same are one group."""
    prefix: str = ""
    """Before the key in the id of its thing."""
    name: str = "name"
    member: str = "member"
    """The column with ids of things, separated by spaces."""
    property: str = ""
    """The property of things that holds a group's key, for ``match = "property"``."""
    facts: list[str] = []
    """Columns that the group's thing bears as properties."""
    groups: tuple[GroupProfile, ...] = ()


class InputProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule reads, and what of it."""

    streams: list[str] = []
    """Ids of streams."""
    property: str | list[str] = ""
    """Streams of this observed property, by its id, or of one of these."""
    thing: dict[str, str | int | float | bool] = {}
    """Streams of things with these properties."""
    rule: str = ""
    """What another rule gives: ``RULE.OUTPUT``."""
    type: Literal["number", "text", "truth"] = "number"
    unit: str = ""
    """What the expressions see; readings in another unit of the same kind are converted. Empty: as they are."""
    take: Literal["latest", "readings"] = "latest"
    """The latest reading of each stream, or all readings of the window."""
    age: str = ""
    """How old the latest may be; empty: with the reading's own time, or within the window."""
    hold: str = ""
    """How long a reading holds for ``at()``."""
    single: bool = False
    """There is one stream of it: its latest is one value."""
    trigger: bool = True
    """Whether its readings make the rule give something, where the rule has no times of its own."""
    implausible: bool = False
    """Whether readings count that are flagged as implausible."""


class WindowProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule gives something, and of which span."""

    every: str = ""
    """Windows of this length in the city's time; empty: with each reading."""
    length: str = ""
    """How far back the readings of a window go; empty: to its start."""
    count: int = 0
    """No more readings than so many of each stream, the last ones; 0: all."""
    stamp: Literal["start", "end"] = "start"
    """Whether a value bears the start or the end of its window as its time."""
    grace: str = "PT0S"
    """How long after its end a window is waited with, for readings that are on their way."""


class PropertyProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An observed property that a rule gives."""

    id: str
    name: dict[str, str]
    definition: str = ""


class CaseProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of a table of decisions: the first whose ``when`` holds says ``then``; without ``when`` it always does."""

    then: str
    when: str = ""


class OutputProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stream that a rule gives, for each of its groups."""

    property: PropertyProfile
    stream: str = ""
    """The id, with ``{stream}``, ``{thing}`` or ``{group}``; empty: ``{group}~NAME``."""
    expression: str = ""
    cases: list[CaseProfile] = []
    unit: str = ""
    unit_name: str = ""
    type: Literal["measurement", "count", "category", "truth"] = "measurement"
    missing: Literal["nothing", "null"] = "nothing"
    """Where there is no value: no reading, or one that says so."""


class ThingOfRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The thing that a rule over all streams hangs its outputs on: one that there is, unless ``name`` is given."""

    id: str
    name: str = ""
    description: str = ""
    kind: str = ""
    lon: float | None = None
    lat: float | None = None


class SuppressProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How counts of people are told to others: what is smaller is not told, what is told is rounded."""

    below: int
    nearest: int = 0
    """To multiples of what; 0: of ``below``."""

    @property
    def step(self) -> int:
        """What is told is a multiple of it."""
        return self.nearest or self.below


class RuleProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule. ``by`` says what it gives one outcome for: each ``stream``, each ``thing``, ``all`` together, or each
    group of a table."""

    id: str
    file: str
    version: int
    title: dict[str, str]
    dataset: str
    inputs: dict[str, InputProfile]
    outputs: dict[str, OutputProfile]
    description: dict[str, str] = {}
    by: str = BY_THING
    window: WindowProfile = WindowProfile()
    parameters: dict[str, str | int | float | bool] = {}
    steps: dict[str, str] = {}
    """Expressions by name, of which later ones and the outputs may speak."""
    thing: ThingOfRule | None = None
    actions: dict[str, ActionProfile] = {}
    opens: dict[str, str] = {}
    """Datasets that not everybody may read and that it reads all the same, each with the reason why what it gives of
    them may be seen by whoever sees ``dataset``. Of its own dataset it reads anything, of other closed ones nothing."""
    suppress: SuppressProfile | None = None
    enabled: bool = True

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.file}: rules.{self.id}"

    def edition(self, groups: Mapping[str, GroupsProfile]) -> str:
        """Its version, and a digest of all that its values come from, its table of ``groups`` included: no two rules
        that give others share it."""
        plain = msgspec.to_builtins(msgspec.structs.replace(self, file="", enabled=True), order="deterministic")
        del plain["actions"]
        for name in ("opens", "suppress"):  # a rule that says neither is the one that it was before there were these
            if not plain[name]:
                del plain[name]
        if self.by in groups:
            plain["groups"] = msgspec.to_builtins(groups[self.by], order="deterministic")
        said = msgspec.json.encode(plain)
        return f"{self.version}+{blake2b(said, digest_size=4).hexdigest()}"


def micros(text: str) -> int:
    """A duration of a rule in microseconds; nothing is none."""
    return parse_duration(text) if text else 0
