"""What a display shows at a moment: a pure function of what it showed, the sites' states, messages and the time.

    shown = decide(display, before, states, messages, now)

In this order: an operator's text, notice or event; closed; the fall-back, where nothing is known for sure; free or
full. A number is a reading rounded down, never one of a value that is older than ``rules.stale``, doubtful or played.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from allmende.city.parking.signs.counts import Count, count
from allmende.city.parking.signs.model import RANKS, Display, Level, Message, Page, Shown, State, Why
from allmende.city.parking.signs.writing import largest, pages_of, texts
from allmende.city.parking.standing import SiteState


def decide(
    display: Display,
    before: Shown | None,
    states: Sequence[SiteState],
    messages: Iterable[Message],
    now: datetime,
) -> Shown:
    """What the display shows at ``now`` (aware). ``states`` of other sites and messages of other displays are passed
    over; ``before`` is what this gave the last time."""
    own = _own(display, before, count(display, states, now), now)
    message = leading(display, messages, now)
    found = own if message is None else _with(display, own, message, now)
    return _lasting(found, before, now, display)


def leading(display: Display, messages: Iterable[Message], now: datetime) -> Message | None:
    """The message that counts: the highest rank, of these the one that began last."""
    held = [each for each in messages if display.id in each.displays and each.start <= now < each.until]
    return max(held, key=lambda each: (RANKS.index(each.rank), each.start, each.id), default=None)


def fall_back(display: Display) -> tuple[Page, ...]:
    """What the display shows where nothing is known for sure, and by itself once what it was told has run out."""
    return pages_of(display, "unknown")


def as_of(display: Display, shown: Shown | None, now: datetime) -> Shown:
    """What may be shown of a kept decision at ``now``: the fall-back once it has run out, and where there is none."""
    if shown is not None and now < shown.until:
        return shown
    why = Why("never-decided") if shown is None else Why("run-out", {"at": shown.until.isoformat()})
    return _shown(
        display, "unknown", now, why=(why,), level=shown.level if shown else "", since=shown.until if shown else now
    )


# --- what it shows by itself ---


def _own(display: Display, before: Shown | None, counted: Count, now: datetime) -> Shown:
    level = before.level if before else ""
    if counted.kind == "closed":
        return _shown(display, "closed", now, why=counted.why, level=level, end=counted.until)
    if counted.kind == "unknown" or counted.free is None:
        return _shown(display, "unknown", now, why=(*counted.why, Why("fall-back")), level=level)
    wanted, because = level_of(display, level, counted)
    if wanted == "full" and not counted.whole:
        # what is known of it is full; the rest may have spaces
        return _shown(display, "unknown", now, why=(*counted.why, Why("part-full"), Why("fall-back")), level=level)
    state: State = "full" if wanted == "full" else "free"
    number, rounded = _number(display, counted.free) if state == "free" and display.rules.number else (None, ())
    fresh = _shown(
        display,
        state,
        now,
        number=number,
        level=wanted,
        counted=counted,
        why=(*counted.why, because, *rounded),
        end=counted.until,
    )
    return _held(display, before, fresh, now)


def level_of(display: Display, level: Level, counted: Count) -> tuple[Level, Why]:
    """Free or full, and by which rule: within the band it stays what it was, and is free where it was nothing."""
    free, rules = counted.free or 0, display.rules
    said = {"full_at": rules.full_at, "free_at": rules.free_at}
    if free <= rules.full_at:
        return "full", Why("at-most-full", said)
    if free >= rules.free_at:
        return "free", Why("at-least-free", said)
    return ("full", Why("band-full", said)) if level == "full" else ("free", Why("band-free", said))


def _number(display: Display, free: int) -> tuple[int | None, tuple[Why, ...]]:
    """Rounded down; what there is no room for is the greatest that there is. A nought is no number: the word is."""
    step, limit = display.rules.step, largest(display)
    number = min(free, limit) // step * step
    if number == 0:
        return None, (Why("rounded-away", {"step": step}),)
    if number == free:
        return number, ()
    return number, (Why("no-room", {"limit": number}) if free > limit else Why("rounded", {"step": step}),)


def _held(display: Display, before: Shown | None, fresh: Shown, now: datetime) -> Shown:
    """What was, where it changed too short a time ago and is still true enough to be shown."""
    if before is None:
        return fresh
    rules = display.rules
    if before.state == "unknown" and timedelta() <= now - before.since < rules.hold:
        why = (*fresh.why, Why("held-back", {"seconds": int(rules.hold.total_seconds())}))
        return _shown(display, "unknown", now, why=why, level=fresh.level)
    if before.state not in ("free", "full") or before.counted_since is None or before.true_at is None:
        return fresh
    if (before.state, before.number) == (fresh.state, fresh.number):
        return msgspec.structs.replace(fresh, counted_since=before.counted_since)
    # a clock that went back holds nothing
    waits = timedelta() <= now - before.counted_since < rules.hold
    if not waits or now - before.true_at >= rules.stale or before.simulated != fresh.simulated:
        return fresh
    return msgspec.structs.replace(
        fresh,
        state=before.state,
        pages=pages_of(display, before.state, before.number),
        number=before.number,
        level=before.level,
        counted_since=before.counted_since,
        true_at=before.true_at,
        until=min(before.true_at + rules.stale, fresh.until),
        why=(*fresh.why, Why("held", {"seconds": int(rules.hold.total_seconds())})),
    )


# --- messages ---


def _with(display: Display, own: Shown, message: Message, now: datetime) -> Shown:
    why = Why("message", {"rank": message.rank, "reason": message.reason, "until": message.until.isoformat()})
    if message.beside and message.pages:
        pages = (*texts(message.pages), *own.pages)
        end = min(own.until, message.until)
        return msgspec.structs.replace(
            own, pages=pages, message=message.id, until=end, why=(why, Why("in-turns"), *own.why)
        )
    state: State = "text" if message.pages else "blank"
    pages = texts(message.pages) if message.pages else (Page(("",) * display.model.rows),)
    end = min(now + display.rules.valid, message.until)
    return Shown(
        state=state,
        pages=pages,
        level=own.level,
        since=now,
        decided_at=now,
        until=end,
        why=(why,),
        message=message.id,
    )


# --- making ---


def _shown(
    display: Display,
    state: State,
    now: datetime,
    *,
    number: int | None = None,
    level: Level = "",
    counted: Count | None = None,
    why: tuple[Why, ...] = (),
    end: datetime | None = None,
    since: datetime | None = None,
) -> Shown:
    """``until`` is as far as the rules let a controller trust it: never beyond the age limit of the value."""
    ends = [now + display.rules.valid]
    if end is not None and end > now:
        ends.append(end)
    if counted is not None and counted.true_at is not None:
        ends.append(counted.true_at + display.rules.stale)
    return Shown(
        state=state,
        pages=pages_of(display, state, number),
        number=number,
        level=level,
        since=since or now,
        counted_since=now if counted else None,
        true_at=counted.true_at if counted else None,
        decided_at=now,
        until=min(ends),
        why=why,
        simulated=bool(counted and counted.simulated),
    )


def _lasting(found: Shown, before: Shown | None, now: datetime, display: Display) -> Shown:
    """The same look began when it began. What a controller was told is told anew when half of its time is over, so
    that between two tellings nothing is another, not even the end."""
    if before is None or not found.looks_like(before):
        return found
    found = msgspec.structs.replace(found, since=before.since)
    half = (before.until - before.decided_at) / 2
    steady = found.until >= before.until and (found.number, found.message) == (before.number, before.message)
    if steady and before.decided_at <= now < before.decided_at + half and found.simulated == before.simulated:
        return msgspec.structs.replace(found, until=before.until, decided_at=before.decided_at)
    return found
