"""What a display shows and why, in the active language."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from allmende.city.parking.present import say_flag, say_reason
from allmende.city.parking.signs.model import Arrow, Direction, Rank, Shown, State, Why


def say_state(state: State) -> str:
    """What the display shows, in a word or two."""
    return {
        "free": _("Spaces free"),
        "full": _("Full"),
        "closed": _("Closed"),
        "unknown": _("Fall-back text"),
        "text": _("Text"),
        "blank": _("Dark"),
    }[state]


def say_direction(direction: Direction) -> str:
    """For which direction of travel it stands there."""
    return {"": "", "forward": _("along the ring"), "backward": _("against the ring")}[direction]


def say_arrow(arrow: Arrow) -> str:
    """Where its arrow points."""
    return {
        "": "",
        "ahead": _("straight ahead"),
        "left": _("to the left"),
        "right": _("to the right"),
        "half-left": _("half left"),
        "half-right": _("half right"),
        "back": _("back"),
    }[arrow]


def say_rank(rank: Rank | str) -> str:
    """How a message ranks."""
    return {"event": _("Event"), "notice": _("Operator's text"), "urgent": _("Urgent")}.get(rank, rank)


def say_why(why: Why) -> str:
    """One step of the decision as a sentence."""
    said = _spoken(why.said)
    if why.code == "doubtful":
        flags = why.said.get("flags", ())
        reasons = " ".join(_say_flag(str(flag)) for flag in flags)
        return _("%(site)s: the value is doubtful, so it is not shown.") % said + (f" {reasons}" if reasons else "")
    if why.code == "remark":
        remarks = " ".join(_say_flag(str(flag)) for flag in why.said.get("flags", ()))
        return _("%(site)s: a remark that leaves the number as it is: %(remarks)s") % {**said, "remarks": remarks}
    if why.code in ("no-data", "closed"):
        words = _("%(site)s: there is no value now.") if why.code == "no-data" else _("%(site)s is closed.")
        return f"{words % said} {_say_reason(str(why.said.get('reason', '')))}".strip()
    if why.code == "message":
        said["rank"] = say_rank(str(why.said.get("rank", "")))
    found = _sentences().get(why.code)
    return found % said if found else why.code


def say_all(shown: Shown) -> list[str]:
    """The whole decision."""
    return [say_why(each) for each in shown.why]


def _sentences() -> dict[str, str]:
    return {
        "counted": _("%(site)s: %(free)s spaces are free, as was known at %(at)s."),
        "drift": _("%(site)s: by its nights the counter says %(offset)s free spaces too many; they are taken off."),
        "drift-unsure": _(
            "%(site)s: by its nights the counter is off by %(offset)s spaces. With them it would be full, or not full "
            "any more: which of the two nobody knows."
        ),
        "decided": _("%(site)s: the operator says that %(free)s spaces are free."),
        "unheard-of": _("%(site)s: nothing is known of this parking site."),
        "simulated": _("%(site)s: there is only a simulated value; a real sign does not show it."),
        "kind-unknown": _("%(site)s: this kind of spaces is not counted."),
        "stale": _("%(site)s: the value is %(minutes)s minutes old; no sign shows one older than %(limit)s."),
        "parts-unknown": _("%(site)s: only %(share)s %% of it is known; %(least)s %% are needed."),
        "simulated-left-out": _("Simulated values are not added to measured ones."),
        "too-little-known": _("Only %(share)s %% of the spaces are known; %(least)s %% are needed for a sum."),
        "part-full": _("What is known of it is full; the rest may have spaces, so “full” is not shown."),
        "fall-back": _("So the fall-back text is shown."),
        "at-most-full": _("“Full” is shown at %(full_at)s free spaces or less."),
        "at-least-free": _("“Free” is shown at %(free_at)s free spaces or more."),
        "band-full": _(
            "Between %(full_at)s and %(free_at)s free spaces it stays “full”, so that the sign does not flicker."
        ),
        "band-free": _(
            "Between %(full_at)s and %(free_at)s free spaces it stays “free”, so that the sign does not flicker."
        ),
        "rounded": _("The number is rounded down to a multiple of %(step)s."),
        "rounded-away": _("Rounded down to a multiple of %(step)s nothing is left, so the word is shown."),
        "no-room": _("There is no room for the number; %(limit)s is the greatest that fits."),
        "held": _("It changed less than %(seconds)s seconds ago, so the display keeps what it showed."),
        "held-back": _("The fall-back text stays for %(seconds)s seconds at least."),
        "message": _("%(rank)s until %(until)s: %(reason)s"),
        "in-turns": _("It takes turns with what the sign shows by itself:"),
        "never-decided": _("Nothing was decided for this sign yet."),
        "run-out": _("What was decided held until %(at)s and was not renewed."),
    }


def _spoken(said: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(said)
    for name in ("at", "until"):
        if isinstance(found.get(name), str):
            moment = localtime(datetime.fromisoformat(found[name]))
            style = "TIME_FORMAT" if name == "at" else "SHORT_DATETIME_FORMAT"
            found[name] = date_format(moment, style)
    return found


def _say_reason(reason: str) -> str:
    return say_reason(reason) if reason else ""


def _say_flag(flag: str) -> str:
    return {
        "negative": _("There cannot be fewer than no free spaces."),
        "ahead": _("The value is said to be from the future: a clock is wrong."),
    }.get(flag) or say_flag(flag)
