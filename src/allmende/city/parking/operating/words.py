"""What operators read: flags explained, decisions in a sentence, in the active language."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.city.parking.present import say_flag
from allmende.city.parking.standing import SiteState


def say_moment(moment: datetime) -> str:
    """The time in the city's zone; with the day where it is not today's."""
    local = timezone.localtime(moment)
    near = abs((local.date() - timezone.localdate()).days) == 0
    return date_format(local, "TIME_FORMAT" if near else "SHORT_DATETIME_FORMAT")


def title_of(flag: str) -> str:
    """A flag in a few words."""
    return {
        "negative": _("Less than nothing"),
        "frozen": _("Frozen"),
        "full-but-empty": _("Full, but probably empty"),
        "above-capacity": _("More free than there are"),
        "full-with-free": _("Full, with free spaces"),
        "jump": _("A jump"),
        "drift": _("The counter drifts"),
        "closed-with-change": _("Closed, and yet in motion"),
    }.get(flag, say_flag(flag))


def explain(flag: str, figures: Mapping[str, Any], since: datetime, now: datetime) -> str:
    """Why it is doubtful, with the figures that it was judged by."""
    hours = max(round((now - since).total_seconds() / 3600), 1)
    said: dict[str, Any] = {
        "free": "?", "capacity": "?", "usual": "?", "change": "?", "rate": "?", "limit": "?", "lately": "?",
        "offset": "?", "nights": "?", "changes": "?",
        **figures, "hours": hours,
    }  # fmt: skip
    for name in ("usual", "lately"):
        said[name] = f"{said[name]:g}" if isinstance(said[name], int | float) else said[name]
    words = {
        "negative": _("It counts %(free)s free spaces. There cannot be fewer than none."),
        "frozen": _(
            "The count has been %(free)s for %(hours)s hours. In the same hours of other weeks it changed "
            "%(usual)s times at least."
        ),
        "full-but-empty": _(
            "It has said “full” for %(hours)s hours, also by night. Otherwise %(usual)s spaces are free by night. "
            "Perhaps the counter is wrong, or the spaces are closed or leased."
        ),
        "above-capacity": _(
            "It counts %(free)s free spaces, and %(capacity)s are all that there are. Either the counter or the "
            "capacity is wrong."
        ),
        "full-with-free": _("It says “full” and %(free)s free spaces at the same time."),
        "jump": _(
            "The count changed by %(change)s at once: %(rate)s vehicles a minute. More than %(limit)s do not get "
            "through the entrances."
        ),
        "drift": _(
            "In the last %(nights)s nights %(lately)s spaces were free, in the weeks before %(usual)s. The counter "
            "seems to be off by %(offset)s."
        ),
        "closed-with-change": _("It is closed, and the count changed %(changes)s times in an hour."),
    }.get(flag)
    return words % said if words else say_flag(flag)


def follows(effect: str, learn: bool) -> str:
    """What follows from a flag."""
    shown = {
        "hidden": _("No number is shown."),
        "remark": _("The number is shown with a remark; signs show none."),
        "quiet": _("Only operators are shown this."),
        "none": _("The number stands as it is, also on signs."),
    }.get(effect, "")
    unlearnt = _("Forecasts do not learn from it.")
    return shown if learn else f"{shown} {unlearnt}"


def say_severity(severity: str) -> str:
    """How severe it is."""
    return {"severe": _("severe"), "warning": _("warning"), "notice": _("notice"), "remark": _("remark")}.get(
        severity, severity
    )


def say_override(status: str, free: int | None) -> str:
    """What an override says."""
    if status == "live":
        return ngettext("%(n)d space free", "%(n)d spaces free", free or 0) % {"n": free or 0}
    return _("Closed") if status == "closed" else _("No number")


def say_decision(kind: str, each: Any) -> str:
    """A decision in one line."""
    if kind == "override":
        return say_override(each.status, each.free)
    if kind == "closure":
        part = ngettext("%(n)d space closed", "%(n)d spaces closed", each.spaces or 0) % {"n": each.spaces or 0}
        return (part if each.spaces else _("Closed")) + (f": {each.text}" if each.text else "")
    if kind == "lease":
        words = {"leased": _("leased"), "permit": _("for holders of permits")}.get(each.kind, each.kind)
        return f"{each.spaces} {words}"
    if kind == "choice":
        return f"{say_fact(each.fact)}: {each.value} ({each.source})"
    if kind == "calibration":
        return f"{each.offset:+d} ({say_calibration(each.state)})"
    return each.name + (f": {each.effect}" if each.effect else "")


def say_calibration(state: str) -> str:
    """What became of a proposal."""
    return {"proposed": _("proposed"), "applied": _("applied"), "declined": _("declined")}.get(state, state)


def say_kind(kind: str) -> str:
    """What sort of decision it is."""
    return {
        "override": _("Set by hand"),
        "closure": _("Closure"),
        "lease": _("Not public"),
        "choice": _("Chosen figure"),
        "calibration": _("Calibration"),
        "event": _("Event"),
    }.get(kind, kind)


def say_fact(name: str) -> str:
    """A fact's name, as far as there are words for it."""
    return {
        "capacity": _("Spaces"),
        "capacity_disabled": _("Spaces for disabled people"),
        "capacity_woman": _("Spaces for women"),
        "capacity_family": _("Spaces for families"),
        "capacity_charging": _("Spaces for charging"),
        "max_height": _("Height limit (cm)"),
        "opening_hours": _("Opening hours"),
        "type": _("Type"),
        "address": _("Address"),
        "operator_name": _("Operator"),
        "public_url": _("Page"),
        "max_stay": _("Longest stay (s)"),
        "has_fee": _("Has a fee"),
    }.get(name, name)


def say_shown(until: datetime | None, reason: str, by: str, spaces: int | None = None) -> str:
    """What the public reads of a decision; ``by`` is ``override`` or ``closure``."""
    if by == "override" and until is not None:
        return _("Set by hand until %(time)s: %(reason)s") % {"time": say_moment(until), "reason": reason}
    if spaces:
        words = ngettext("%(n)d space is closed", "%(n)d spaces are closed", spaces) % {"n": spaces}
        if until is not None:
            words = _("%(what)s until %(time)s") % {"what": words, "time": say_moment(until)}
    elif until is not None:
        words = _("Closed until %(time)s") % {"time": say_moment(until)}
    else:
        words = _("Closed until further notice")
    return f"{words}: {reason}" if reason else f"{words}."


def said_publicly(state: SiteState) -> str:
    """What everybody reads of the decision that holds."""
    if state.override is not None:
        return say_shown(state.override.until, state.override.reason, "override")
    if state.closure is not None:
        return say_shown(state.closure.until, state.closure.reason, "closure", state.closure.spaces)
    return ""
