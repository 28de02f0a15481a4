"""``sources`` and ``rejections``: what an operator wants to see, and mend."""

import sys
import textwrap
from datetime import UTC, datetime
from typing import Any

from allmende.domain.errors import Conflict, NotFound
from allmende.domain.ingest import is_cut
from allmende.domain.store import KeptRejection, SourceState
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.opened import Opened, actor, open_house
from allmende.web.cli.output import age, moment, print_json, print_table, printable
from allmende.web.intake import Intake, now_micros
from allmende.web.replay import Replayed, can_replay
from allmende.web.replay import replay as take_again

_ALL = 1_000_000


def sources(as_json: bool) -> None:
    """Every source of the profile: state, age, counts, last error."""
    house = open_house()
    from allmende.web.portal.sources import judge
    from allmende.web.sources import prepare_sources

    known = house.store.sources()
    now = now_micros()
    listed: list[dict[str, Any]] = []
    for prepared in prepare_sources(house.profile).values():
        source = prepared.source
        state = known.get(source.id, SourceState(id=source.id))
        listed.append(
            {
                "id": source.id,
                "title": prepared.profile.title.get(house.profile.languages[0], ""),
                "connector": source.connector,
                "dataset": source.dataset,
                "enabled": prepared.profile.enabled,
                "state": judge(prepared.profile, state, datetime.fromtimestamp(now / 1e6, UTC)),
                "newest": moment(state.newest),
                "last_received": moment(state.last_received),
                "last_success": moment(state.last_success),
                "last_error": state.last_error,
                "last_error_at": moment(state.last_error_at),
                "accepted": state.accepted,
                "repeated": state.repeated,
                "corrected": state.corrected,
                "rejected": state.rejected,
                "problems": list(prepared.problems),
            }
        )
    if as_json:
        print_json(listed)
        return
    counts = ("accepted", "repeated", "corrected", "rejected")
    rows = [
        [s["id"], s["state"], age(_state(known, s).newest, now), *(s[c] for c in counts), _trouble(s)] for s in listed
    ]
    # what is switched off and never gave anything needs no row
    idle = {s["id"] for s in listed if not (s["enabled"] or s["accepted"] or s["rejected"] or _trouble(s))}
    shown = [row for row in rows if row[0] not in idle]
    print_table(("source", "state", "newest value", *counts, "trouble"), shown, numbers=counts)
    if idle:
        names = ", ".join(s["id"] for s in listed if s["id"] in idle)
        print(textwrap.fill(f"Switched off, and nothing kept: {names}", 100, break_on_hyphens=False))


def _state(known: dict[str, SourceState], listed: dict[str, Any]) -> SourceState:
    return known.get(listed["id"], SourceState(id=listed["id"]))


def _trouble(listed: dict[str, Any]) -> str:
    if listed["problems"]:
        return str(listed["problems"][0])
    return str(listed["last_error"]) if listed["state"] == "failing" else ""


def list_rejections(source: str, code: str, text: str, limit: int, as_json: bool) -> None:
    """The newest rejections, without their bytes. Raises NotFound for a source that is not there."""
    house = open_house()
    _check_source(house, source)
    found = house.store.rejections(source=source, code=code, text=text, limit=limit)
    if as_json:
        print_json([_plain(r) for r in found])
        return
    if not found:
        print("There are no rejections.")
        return
    now = now_micros()
    rows = [
        [str(r.number), r.source, r.code, age(r.received_at, now), "yes" if r.replayed_at else "", r.where, r.reason]
        for r in found
    ]
    columns = ("number", "source", "code", "received", "replayed", "where", "reason")
    print_table(columns, rows, numbers=("number",), wraps=("where",))


def _check_source(house: Opened, source: str) -> None:
    """A source that left the profile may have left rejections behind."""
    known = {*house.profile.sources, *house.store.sources()}
    if source and source not in known:
        raise NotFound(f'the city has no source "{source}"; there are {", ".join(sorted(known))}')


def show_rejection(number: int, raw: bool, as_json: bool) -> None:
    """One rejection with its bytes. Raises NotFound."""
    found = open_house().store.rejection(number)
    if raw:
        sys.stdout.buffer.write(found.body)
        sys.stdout.buffer.flush()
    elif as_json:
        print_json({**_plain(found), "body": found.body.decode("utf-8", "replace")})
    else:
        for name, value in _plain(found).items():
            print(f"{name}: {printable(str(value)) if value is not None else '-'}")
        print("\n" + printable(found.body[:10_000].decode("utf-8", "replace")))


def replay(number: int | None, source: str, code: str, text: str, as_json: bool) -> int:
    """Take the kept bytes in again; one that went well is settled. Gives the exit code.

    What was too large to be kept whole is left out; asked for by its number, it raises Conflict.
    """
    house = open_house()
    _check_source(house, source)
    intake = Intake(house.store, house.profile, house.config)
    if number is not None:
        chosen = [house.store.rejection(number)]
        if is_cut(chosen[0].reason):
            raise Conflict(f"rejection {number} is not whole: only the first {len(chosen[0].body):,} bytes were kept")
    else:
        listed = house.store.rejections(source=source, code=code, text=text, limit=_ALL)
        # The oldest first: the order in which they came.
        chosen = [r for r in reversed(listed) if can_replay(r)]
    done = take_again(intake, chosen, strict=len(chosen) == 1)
    if done.settled:
        from allmende.web.accounts.audit import record

        record(actor(), "rejections.replay", f"source:{source}" if source else "", settled=done.settled)
    _tell_replay(done, as_json)
    return int(ExitCode.OK if done.settled == done.chosen else ExitCode.FAILED)


def _tell_replay(done: Replayed, as_json: bool) -> None:
    total = done.total
    if as_json:
        counts = {name: getattr(total, name) for name in ("read", "accepted", "repeated", "corrected", "rejected")}
        print_json({"replayed": done.chosen, "settled": done.settled, **counts, "errors": done.troubles})
        return
    print(
        f"{done.chosen:,} replayed, {done.settled:,} settled: {total.accepted:,} readings accepted,"
        f" {total.repeated:,} repeated, {total.corrected:,} corrected, {total.rejected:,} rejected again"
    )
    for trouble in done.troubles:
        print(f"allmende: {trouble}", file=sys.stderr)


def _plain(rejection: KeptRejection) -> dict[str, Any]:
    return {
        "number": rejection.number,
        "source": rejection.source,
        "name": rejection.name,
        "code": rejection.code,
        "reason": rejection.reason,
        "where": rejection.where,
        "received_at": moment(rejection.received_at),
        "replayed_at": moment(rejection.replayed_at),
        "size": rejection.size,
    }
