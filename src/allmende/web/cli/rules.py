"""``rules`` and ``rule``: what is derived, how far it is, what it would give, and its past anew."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from allmende.domain import times
from allmende.domain.errors import ConfigurationError, InvalidInput, NotFound
from allmende.knowledge.acting import FATES, Foresight, find_problems
from allmende.knowledge.follow import lag
from allmende.knowledge.groups import find_groups
from allmende.knowledge.lineage import read_lineage
from allmende.knowledge.prepare import Prepared, Rule, prepare_rules
from allmende.knowledge.rerun import Piece, run_again, work_out
from allmende.web.cli.opened import Opened, actor, open_house
from allmende.web.cli.output import age, moment, print_json, print_table
from allmende.web.intake import now_micros
from allmende.web.rules import RULES, AuditJournal, deeds, limits_of

_SHOWN = 1_000
_DEEDS = 10
"""Of each action, those that are told one by one."""


def list_rules(as_json: bool) -> None:
    """Every rule: what it gives, when it last did, what its actions did, and what is wrong."""
    house = open_house()
    prepared = prepare_rules(house.profile)
    known, outputs = house.store.sources(), read_lineage(house.store, RULES).outputs
    now = now_micros()
    waiting, seconds = lag(house.store, now)
    listed: list[dict[str, Any]] = []
    for rule in house.profile.rules.values():
        state = known.get(f"rule/{rule.id}")
        listed.append(
            {
                "id": rule.id,
                "title": rule.title.get(house.profile.languages[0], ""),
                "version": rule.edition(house.profile.groups),
                "file": rule.file,
                "enabled": rule.enabled,
                "streams": sum(len(streams) for (of, _), streams in outputs.items() if of == rule.id),
                "newest": moment(state.newest if state else None),
                "last_given": moment(state.last_received if state else None),
                "given": state.accepted if state else 0,
                "corrected": state.corrected if state else 0,
                "problem": prepared.problems.get(rule.id, ""),
            }
        )
    actions = _actions(house, prepared, now)
    if as_json:
        print_json(
            {"rules": listed, "actions": actions, "changes_waiting": waiting, "seconds_behind": round(seconds, 3)}
        )
        return
    if not listed:
        print("The city has no rules; they stand in files of the folder rules beside city.toml.")
        return
    rows = [
        [
            one["id"],
            one["version"],
            one["streams"],
            age(times.parse_instant(one["newest"]) if one["newest"] else None, now),
            one["given"],
            one["corrected"],
            one["problem"] or ("" if one["enabled"] else "switched off"),
        ]
        for one in listed
    ]
    columns = ("rule", "version", "streams", "newest value", "given", "corrected", "trouble")
    print_table(columns, rows, numbers=("streams", "given", "corrected"))
    print(f"{waiting} changes wait, the oldest for {seconds:.1f} s." if waiting else "Nothing waits.")
    if actions:
        _print_actions(actions)


def _actions(house: Opened, prepared: Prepared, now: int) -> list[dict[str, Any]]:
    """The actions of rules that are in order, and what they did within a day."""
    journal, since = AuditJournal(), now - times.DAY
    listed: list[dict[str, Any]] = []
    for rule in prepared.rules:
        if not rule.actions:
            continue
        problems = find_problems(house.store, RULES, rule, find_groups(house.store, RULES, rule).groups)
        for name, action in rule.actions.items():
            mine = f"{rule.profile.place}.actions.{name}: "
            listed.append(
                {
                    "rule": rule.id,
                    "action": name,
                    "capability": action.profile.capability,
                    "dry_run": action.profile.dry_run,
                    "limit": action.profile.limit,
                    "lately": journal.lately(rule.id, name, since),
                    "deeds": list(deeds(rule.id, name, since, _DEEDS)),
                    "problems": [text.removeprefix(mine) for text in problems if text.startswith(mine)],
                }
            )
    return listed


def _print_actions(actions: list[dict[str, Any]]) -> None:
    rows = [
        [
            f"{one['rule']}/{one['action']}",
            one["capability"],
            "dry run" if one["dry_run"] else "writes tasks",
            one["limit"],
            *one["lately"].values(),
            "; ".join(one["problems"]),
        ]
        for one in actions
    ]
    print("\nActions, and what they did within 24 hours:")
    print_table(
        ("action", "capability", "mode", "limit an hour", *FATES, "trouble"), rows, numbers=("limit an hour", *FATES)
    )
    newest = [(deed["at"], one, deed) for one in actions for deed in one["deeds"]]
    for at, one, deed in sorted(newest, key=lambda item: item[0], reverse=True)[:_DEEDS]:
        said = ", ".join(f"{name}={value}" for name, value in deed.get("parameters", {}).items())
        what = f"{deed['capability']}({said})"
        print(f"{at}  {deed['fate']:8}{one['rule']}/{one['action']}  {what}  {deed.get('reason', '')}".rstrip())


def preview(rule_id: str, start: str, end: str, group: str, as_json: bool) -> None:
    """What a rule gives for a span of what is kept; nothing is stored."""
    house = open_house()
    rule = _rule(prepare_rules(house.profile), house, rule_id)
    low, high = span(house, start, end)
    limits, most = limits_of(house.config), house.config.rule_run_values
    pieces = work_out(house.store, RULES, rule, low, high, limits, group=group, most=most)
    foresight, found, foreseen = Foresight(rule), [], []
    for piece in pieces:
        found += _values(piece)
        foreseen += foresight.look(*piece)
    told = [
        {"action": one.action, "group": one.group, "time": moment(one.time), "capability": one.capability,
         "parameters": one.parameters}
        for one in foreseen
    ]  # fmt: skip
    if as_json:
        print_json({"values": found, "actions": told})
        return
    rows = [
        [one["group"], one["time"], *("" if v is None else str(v) for v in one["values"].values())] for one in found
    ]
    print_table(("group", "time", *rule.outputs), rows[:_SHOWN])
    print(f"{len(rows)} times; the first {_SHOWN} are shown, --json gives all." if len(rows) > _SHOWN else "")
    if rule.actions:
        print(f"\nActions would have set off {len(told)} tasks, limits aside:")
        rows = [[one["action"], one["time"], one["capability"], str(one["parameters"])] for one in told]
        print_table(("action", "time", "capability", "parameters"), rows[:_SHOWN])


def run(rule_id: str, start: str, end: str, as_json: bool) -> None:
    """Work a rule's past out anew and swap it in."""
    house = open_house()
    rule = _rule(prepare_rules(house.profile), house, rule_id)
    low, high = span(house, start, end)
    receipt = run_again(
        house.store,
        RULES,
        rule,
        low,
        high,
        now_micros,
        limits_of(house.config),
        most=house.config.rule_run_values,
    )
    from allmende.web.accounts.audit import record

    told = {
        "given": receipt.accepted,
        "corrected": receipt.corrected,
        "gone": receipt.gone,
        "unchanged": receipt.repeated,
    }
    record(actor(), "rule.run", f"rule:{rule.id}", version=rule.edition, start=start, end=end, **told)
    if as_json:
        print_json(told)
    else:
        print(
            f"{told['given']:,} values are new, {told['corrected']:,} are others, {told['gone']:,} are gone,"
            f" {told['unchanged']:,} are the same."
        )


def span(house: Opened, start: str, end: str) -> tuple[int, int]:
    """Days in the city's zone, or instants. Raises InvalidInput."""
    return _moment(house, start), _moment(house, end) if end else now_micros()


def _moment(house: Opened, text: str) -> int:
    if len(text) > 10:
        return times.parse_instant(text)
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is neither a day (2026-05-01) nor an instant (2026-05-01T12:00:00Z)") from None
    return times.from_datetime(day.replace(tzinfo=ZoneInfo(house.profile.time_zone)))


def _rule(prepared: Prepared, house: Opened, rule_id: str) -> Rule:
    if rule_id in prepared.problems:
        raise ConfigurationError(prepared.problems[rule_id])
    found = next((rule for rule in prepared.rules if rule.id == rule_id), None)
    if found is None:
        known = ", ".join(house.profile.rules) or "none"
        raise NotFound(f'the city has no rule "{rule_id}" that is switched on; its rules are {known}')
    return found


def _values(piece: Piece) -> Iterable[dict[str, Any]]:
    group, outcome = piece
    for place, time in enumerate(outcome.times):
        values = {name: column[place] for name, column in outcome.values.items()}
        if any(value is not None for value in values.values()):
            yield {"group": group.key, "time": moment(time), "values": values}
