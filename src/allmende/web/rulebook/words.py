"""A rule in words of the active language."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.domain.errors import InvalidInput
from allmende.domain.rules import ALL, BY_STREAM, BY_THING, GroupsProfile, InputProfile, OutputProfile, RuleProfile
from allmende.domain.times import DAY, HOUR, MINUTE, SECOND, parse_duration, parse_months
from allmende.web.portal.sources import spoken


class ShownInput(msgspec.Struct, frozen=True):
    """An input: which streams, and what of them."""

    name: str
    which: str
    what: str
    rule: str = ""
    """Whose output it reads."""


class ShownOutput(msgspec.Struct, frozen=True):
    """An output: what it is, and how it comes about."""

    name: str
    title: str
    unit: str
    expression: str
    cases: list[dict[str, str]]
    missing: str


def say_inputs(rule: RuleProfile) -> list[ShownInput]:
    """Every input in words."""
    return [
        ShownInput(name, _say_which(put), _say_what(put), put.rule.partition(".")[0])
        for name, put in rule.inputs.items()
    ]


def say_outputs(rule: RuleProfile) -> list[ShownOutput]:
    """Every output in words."""
    return [
        ShownOutput(
            name,
            spoken(output.property.name) or output.property.id,
            say_unit(output),
            output.expression,
            [{"when": case.when, "then": case.then} for case in output.cases],
            _("Where there is no value, it says so.")
            if output.missing == "null"
            else _("Where there is no value, it says nothing."),
        )
        for name, output in rule.outputs.items()
    ]


def say_unit(output: OutputProfile) -> str:
    """The unit, or the kind of value where there is none."""
    if output.type == "category":
        return _("a word")
    if output.type == "truth":
        return _("true or false")
    return output.unit_name or output.unit or _("a number without unit")


def say_for(rule: RuleProfile, groups: Mapping[str, GroupsProfile]) -> str:
    """For whom there is an outcome."""
    if rule.by == BY_STREAM:
        return _("one outcome for each series of readings that it reads")
    if rule.by == BY_THING:
        return _("one outcome for each thing whose readings it reads")
    if rule.by == ALL:
        return _("one outcome of all readings together")
    table = groups[rule.by]
    return ngettext(
        "one outcome for %(count)d group: %(title)s", "one outcome for each of %(count)d groups: %(title)s",
        len(table.groups),
    ) % {"count": len(table.groups), "title": spoken(table.title) or table.id}  # fmt: skip


def say_window(rule: RuleProfile) -> str:
    """When it gives something."""
    window = rule.window
    if not window.every:
        said = _("With each reading.")
        if window.length:
            said += " " + _("It looks %(length)s back.") % {"length": say_duration(window.length)}
        return said
    said = _("For windows of %(every)s by the city's clock, once they are over.") % {
        "every": say_duration(window.every)
    }
    if window.length:
        said += " " + _("The readings of the last %(length)s count.") % {"length": say_duration(window.length)}
    if window.count:
        said += " " + _("Of each series no more than the last %(count)d readings count.") % {"count": window.count}
    if window.grace != "PT0S":
        said += " " + _("It waits %(grace)s for readings that are on their way.") % {
            "grace": say_duration(window.grace)
        }
    if window.stamp == "end":
        return f"{said} " + _("A value bears the end of its window as its time.")
    return f"{said} " + _("A value bears the start of its window as its time.")


def say_duration(text: str) -> str:
    """``PT1H`` as "1 hour"; as it is written where it cannot be read."""
    try:
        months = parse_months(text)
        if months is not None:
            return _count(months // 12, "year") if months % 12 == 0 else _count(months, "month")
        left = parse_duration(text)
    except InvalidInput:
        return text
    said = []
    for unit, length in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", SECOND)):
        number, left = divmod(left, length)
        if number:
            said.append(_count(number, unit))
    return " ".join(said) or text


def _count(number: int, unit: str) -> str:
    texts = {
        "year": ngettext("%(n)d year", "%(n)d years", number),
        "month": ngettext("%(n)d month", "%(n)d months", number),
        "day": ngettext("%(n)d day", "%(n)d days", number),
        "hour": ngettext("%(n)d hour", "%(n)d hours", number),
        "minute": ngettext("%(n)d minute", "%(n)d minutes", number),
        "second": ngettext("%(n)d second", "%(n)d seconds", number),
    }
    return texts[unit] % {"n": number}


def _say_which(put: InputProfile) -> str:
    if put.rule:
        return _("what the rule %(rule)s gives") % {"rule": put.rule}
    if put.streams:
        return _("the series %(streams)s") % {"streams": ", ".join(put.streams)}
    properties = [put.property] if isinstance(put.property, str) else put.property
    said = ngettext(
        "all series of the property %(property)s", "all series of the properties %(property)s", len(properties)
    ) % {"property": ", ".join(properties)}  # fmt: skip
    if put.thing:
        facts = ", ".join(f"{name} = {_plain(value)}" for name, value in put.thing.items())
        said += " " + _("of things with %(facts)s") % {"facts": facts}
    return said


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _say_what(put: InputProfile) -> str:
    said = [
        _("all readings of the window") if put.take == "readings" else
        _("the latest reading, no older than %(age)s") % {"age": say_duration(put.age)} if put.age else
        _("the reading of the very time")
    ]  # fmt: skip
    if put.unit:
        said.append(_("converted to %(unit)s") % {"unit": put.unit})
    if put.hold:
        said.append(_("each holds for %(hold)s") % {"hold": say_duration(put.hold)})
    if put.implausible:
        said.append(_("also implausible ones"))
    if not put.trigger:
        said.append(_("its readings alone make no outcome"))
    return "; ".join(said)
