"""What pages say of forecasts. Tables are translated when they are shown, sentences at the call."""

from datetime import date

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext_lazy as _

from allmende.knowledge.forecasts.hits import HitRate
from allmende.web.explorer.words import number

METHODS = {
    "last": _("the last value goes on"),
    "day": _("as the day before at the same time"),
    "week": _("as a week before at the same time"),
    "typical": _(
        "as in the three weeks before on this weekday at this time, and as far off that as the last two hours"
    ),
    "climate": _("as usual on such a weekday at this time"),
    "boosted": _("learned from the past: time of day, weekday, holidays, the last hours, and all that it is given"),
}
"""By the name of a candidate."""
REASONS = {
    "stale": _("What was learned has become too old, so that a simpler method speaks."),
    "library": _("LightGBM is not installed here, so that a simpler method speaks."),
    "unknown": _("Too little is known now for the usual method, so that a simpler one speaks."),
}
"""Why another candidate speaks than the one that was chosen."""
NOTES = {
    "no-library": _("LightGBM is not installed here: simple methods alone were compared."),
    "short": _("Less than four weeks are known: simple methods alone were compared."),
    "limits": _("Learning took more time or memory than it may: simple methods alone were compared."),
}
TROUBLES = {
    "little": _("Too little is known yet to learn from."),
    "memory": _("Learning took more memory than it may, and was ended."),
    "time": _("Learning took more time than it may, and was ended."),
    "broken": _("Learning failed."),
}


def percent(share: float) -> str:
    """A share in whole percent."""
    return f"{number_format(round(100 * share), 0)}\u202f%"


def with_unit(value: float, unit: str) -> str:
    """A value as people read it."""
    return f"{number(value)}\u202f{unit}" if unit else number(value)


def error_in_words(value: float, unit: str) -> str:
    """How far off, with no more figures than it can bear."""
    return with_unit(float(f"{value:.2g}") if value < 100 else round(value), unit)


def hits_in_words(rate: HitRate, unit: str) -> str:
    """How often it hit so far, in a sentence or two."""
    if not rate.count or rate.error is None or rate.held is None:
        return str(_("It has not been compared with what came yet."))
    said = _("So far it was off by %(error)s on average, and %(held)s of the values lay in the interval.") % {
        "error": error_in_words(rate.error, unit),
        "held": percent(rate.held),
    }
    return f"{said} {skill_in_words(rate.skill)}"


def change_in_words(since: str, times: float) -> str:
    """That it errs more than it used to; "" where it does not."""
    if not since:
        return ""
    return str(_("Since %(day)s it has erred %(times)s times as much as in the back-test: something has changed.")) % {
        "day": date_format(date.fromisoformat(since), "SHORT_DATE_FORMAT"),
        "times": number_format(times, 1),
    }


def skill_in_words(skill: float | None) -> str:
    """How much better than what says nothing."""
    if skill is None:
        return ""
    if skill <= 0:
        return str(_("That is no better than the simplest method."))
    return str(_("That is %(skill)s less than with the simplest method.") % {"skill": percent(skill)})
