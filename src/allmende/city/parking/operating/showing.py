"""From states and paperwork to what the operators' pages show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from allmende.city.house import House
from allmende.city.parking.now import states_at
from allmende.city.parking.operating import paperwork, words
from allmende.city.parking.operating.models import Calibration, Decided, Doubt
from allmende.city.parking.plausibility import RULES
from allmende.city.parking.present import say_flag, say_reason
from allmende.city.parking.state import SiteState
from allmende.city.parking.statements import Statement
from allmende.city.words import say_age

MOST = 100
"""Of ended decisions and past doubts on a page."""
_ORDER = {"severe": 0, "warning": 1, "notice": 2}


@dataclass(frozen=True)
class Finding:
    """A doubt in words."""

    flag: str
    title: str
    words: str
    severity: str
    severity_words: str
    follows: str
    since: datetime | None
    until: datetime | None = None


@dataclass(frozen=True)
class Line:
    """A site on the live board."""

    state: SiteState
    words: str
    findings: tuple[Finding, ...]
    age: str
    shown: str
    """What the public reads of a decision."""
    wanting: int
    """How much it wants attention: 0 the most, 9 not at all."""

    @property
    def wants(self) -> bool:
        """Whether somebody should look."""
        return self.wanting < 9


@dataclass(frozen=True)
class Paper:
    """A decision in words."""

    it: Decided
    kind: str
    kind_words: str
    words: str
    ahead: bool
    over: bool


@dataclass(frozen=True)
class Fact:
    """What is said of a fact, each statement beside the others."""

    name: str
    title: str
    statements: tuple[tuple[Statement, bool], ...]
    """With whether it is the one that counts."""
    choice: Any = None


def read(house: House, now: datetime) -> list[SiteState]:
    """All sites but single bays, as everybody is shown them."""
    return list(states_at(house, now, kinds=("car-park", "parking-area", "parking-zone")))


def lines(states: Iterable[SiteState], now: datetime) -> list[Line]:
    """The board, what wants attention first."""
    doubts: dict[str, list[Doubt]] = {}
    for doubt in paperwork.papers(now).doubts:
        doubts.setdefault(doubt.site, []).append(doubt)
    made = [line(state, doubts.get(state.site.stands_for, []), now) for state in states]
    return sorted(made, key=lambda each: each.wanting)


def line(state: SiteState, doubts: list[Doubt], now: datetime) -> Line:
    """One site."""
    known = {doubt.flag for doubt in doubts}
    findings = [finding(doubt, now) for doubt in doubts]
    findings += [_of_reading(flag) for flag in state.flags if flag not in known]
    findings += [_remark(flag) for flag in state.remarks]
    findings.sort(key=lambda each: _ORDER.get(each.severity, 3))
    wanting = min((_ORDER.get(each.severity, 8) + 1 for each in findings), default=9)
    if state.status == "no-data" and state.reason in ("feed-silent", "silent"):
        wanting = 0
    elif state.override is not None:
        wanting = min(wanting, 5)
    return Line(
        state=state,
        words=say_reason(state.reason) if state.status != "live" else "",
        findings=tuple(findings),
        age=say_age(state.stamp, now) if state.stamp else "",
        shown=words.said_publicly(state),
        wanting=wanting,
    )


def finding(doubt: Doubt, now: datetime) -> Finding:
    """A doubt that was kept."""
    rule = RULES.get(doubt.flag)
    return Finding(
        flag=doubt.flag,
        title=words.title_of(doubt.flag),
        words=words.explain(doubt.flag, doubt.figures, doubt.since, doubt.until or now),
        severity=doubt.severity,
        severity_words=words.say_severity(doubt.severity),
        follows=words.follows(doubt.effect, rule.learn if rule else False),
        since=doubt.since,
        until=doubt.until,
    )


def _of_reading(flag: str) -> Finding:
    """What the connector found of the reading itself."""
    rule = RULES.get(flag, RULES["above-capacity"])
    return Finding(
        flag=flag,
        title=words.title_of(flag),
        words=say_flag(flag),
        severity=rule.severity,
        severity_words=words.say_severity(rule.severity),
        follows=words.follows(rule.effect, rule.learn),
        since=None,
    )


def _remark(flag: str) -> Finding:
    """What its source says of a reading that it does not doubt."""
    return Finding(
        flag=flag,
        title=words.title_of(flag),
        words=say_flag(flag),
        severity="remark",
        severity_words=words.say_severity("remark"),
        follows=words.follows("none", True),
        since=None,
    )


def facts(state: SiteState, now: datetime) -> list[Fact]:
    """All that is said of a site, with the statement that counts; those on which there is a choice first."""
    choices = {
        each.fact: each
        for each in reversed(paperwork.papers(now).choices)
        if each.site == state.site.stands_for and paperwork.holds(each, now)
    }
    made = []
    for name, said in state.site.statements.items():
        counting = said[0] if said and said[0].value is not None else None
        listed = [each for each in said if each.by != "operator"]
        same = [each is not None and counting is not None and _same(each, counting) for each in listed]
        made.append(Fact(name, words.say_fact(name), tuple(zip(listed, same, strict=True)), choices.get(name)))
    order = ("capacity", "opening_hours", "max_height", "type")
    rank = {name: place for place, name in enumerate(order)}
    return sorted(made, key=lambda each: (rank.get(each.name, len(order)), -len(each.statements), each.name))


def _same(one: Statement, other: Statement) -> bool:
    return (one.value, one.source, one.date) == (other.value, other.source, other.date)


def listed(statements: Iterable[Statement]) -> list[Statement]:
    """Those among which an operator chooses, in the order of the page."""
    return [msgspec.structs.replace(each) for each in statements if each.by != "operator"]


def papers_of(site: str, now: datetime) -> tuple[list[Paper], list[Paper]]:
    """The decisions on a site: those that hold or will, and those that are over, the newest first."""
    holding, over = [], []
    for kind, model in paperwork.KINDS.items():
        if kind == "event":
            rows: Iterable[Any] = [each for each in model._default_manager.all()[:MOST] if site in each.sites]
        else:
            rows = model._default_manager.filter(site=site).select_related("made_by", "ended_by")[:MOST]
        for row in rows:
            undecided = isinstance(row, Calibration) and row.state != Calibration.APPLIED
            if isinstance(row, Calibration) and row.state == Calibration.PROPOSED and not row.over(now):
                continue  # it waits for somebody, and has a place of its own
            done = row.over(now) or undecided
            made = Paper(row, kind, words.say_kind(kind), words.say_decision(kind, row), row.start > now, done)
            (over if done else holding).append(made)
    over.sort(key=lambda each: each.it.ended or each.it.until or each.it.made, reverse=True)
    return holding, over[:MOST]


def next_hour(now: datetime) -> datetime:
    """A likely end: the hour after the next."""
    return (now + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
