"""The form of a tariff: what a department types, and back again. Money is written with a comma or a point, lengths are
minutes. What the fields of the file would refuse is refused here by the same reader, at the field it is about."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import gettext_noop

from allmende.city.parking.operating.forms import MOST_SEEN
from allmende.city.parking.tariffs_file import read_version
from allmende.city.parking.tariffs_model import HOLIDAY, WEEKDAYS, Tariffs
from allmende.city.parking.tariffs_words import name_of
from allmende.domain.profile_checks import ProfileError, check_id

MOST_RATES = 12
NEW = "+"
"""Chosen where the tariff is for a plan that there is not yet."""
_MONEY = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,2}))?\s*€?\Z", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-4])(?:[:.]([0-5]\d))?\Z", re.ASCII)
_SAID = (
    gettext_noop("has a price (an hour) or a flat one, and not both"),
    gettext_noop("is for prices an hour; a flat one has none"),
    gettext_noop("is a day at most"),
    gettext_noop('is "own", and no rate has the day "ph"'),
    gettext_noop("tells what free minutes are for; there are none"),
    gettext_noop("ends before it begins"),
    gettext_noop("is empty; every fact says where it is from"),
    gettext_noop('"%(date)s" is no date: 2025, 2025-02, 2025-02-01 or "%(undated)s"'),
    gettext_noop('"%(value)s" is no id: small letters a to z, digits, hyphens between'),
)
"""What the reader of the file says."""


class MoneyField(forms.CharField):
    """To the text of the file: ``1.50``."""

    def clean(self, value: Any) -> str:
        """Raises ValidationError."""
        text = super().clean(value).strip()
        if not text:
            return ""
        match = _MONEY.match(text)
        if match is None:
            raise forms.ValidationError(_("This is no amount of money. Write e.g. 1.50."))
        return f"{int(match[1])}.{(match[2] or '0').ljust(2, '0')}"


class ClockField(forms.CharField):
    """To ``HH:MM``."""

    def clean(self, value: Any) -> str:
        """Raises ValidationError."""
        text = super().clean(value).strip()
        if not text:
            return ""
        match = _CLOCK.match(text)
        if match is None or (match[1] == "24" and (match[2] or "00") != "00"):
            raise forms.ValidationError(_("This is no time of day. Write e.g. 08:00."))
        return f"{int(match[1]):02}:{match[2] or '00'}"


def _minutes(label: Any, hint: Any = "") -> forms.IntegerField:
    told = {"invalid": _l("This is no whole number."), "min_value": _l("This is no whole number.")}
    return forms.IntegerField(
        label=label, help_text=hint, min_value=1, max_value=525_600, required=False, error_messages=told
    )


def _choice(label: Any, choices: Iterable[tuple[str, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(choices))


_DAYS = [*WEEKDAYS, HOLIDAY]


class RateForm(forms.Form):
    """What is asked at some hours. A row without an amount is none."""

    kind = _choice(_l("Kind"), (("price", _l("an hour")), ("flat", _l("flat, each time that its hours begin"))))
    amount = MoneyField(label=_l("Amount in euros"), required=False, max_length=12)
    days = forms.MultipleChoiceField(
        label=_l("Days"), help_text=_l("None ticked: every day."), required=False,
        choices=[(each, each) for each in _DAYS],
    )  # fmt: skip
    begin = ClockField(label=_l("From (clock)"), required=False, max_length=5)
    end = ClockField(label=_l("To (clock)"), required=False, max_length=5)
    step = _minutes(_l("Charged in steps of (minutes)"), _l("Empty: to the minute."))
    after = _minutes(_l("From this minute of the stay on"))

    @property
    def empty(self) -> bool:
        """Whether nothing was typed."""
        data = self.cleaned_data
        return not any(data.get(name) for name in ("amount", "days", "begin", "end", "step", "after"))

    def clean(self) -> dict[str, Any]:
        """A row with anything in it has an amount."""
        said = super().clean() or {}
        if not self.errors and not self.empty and not said.get("amount"):
            self.add_error("amount", _("Say how much."))
        return said

    def body(self) -> dict[str, Any]:
        """With the file's keys."""
        data = self.cleaned_data
        found: dict[str, Any] = {data["kind"]: data["amount"]}
        if data["days"]:
            found["days"] = list(data["days"])
        found |= {name: data[name] for name in ("begin", "end") if data[name]}
        found |= {name: f"PT{data[name]}M" for name in ("step", "after") if data[name]}
        return found


class TariffForm(forms.Form):
    """All of a version but its rates."""

    seen = forms.IntegerField(min_value=0, max_value=MOST_SEEN, widget=forms.HiddenInput)
    plan = forms.ChoiceField(label=_l("Tariff"))
    name_de = forms.CharField(label=_l("Name of a new tariff, German"), max_length=200, required=False)
    name_en = forms.CharField(label=_l("Name of a new tariff, English"), max_length=200, required=False)
    valid_from = forms.DateField(
        label=_l("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _l("Say from which day on it holds."), "invalid": _l("This is no day.")},
    )  # fmt: skip
    valid_until = forms.DateField(
        label=_l("Last day"), required=False, help_text=_l("Empty: until the next tariff begins."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _l("This is no day.")},
    )  # fmt: skip
    free = _minutes(_l("Free minutes at the beginning"))
    free_short = _choice(
        _l("They are free for"), (("all", _l("all stays")), ("short", _l("stays alone that are no longer")))
    )
    minimum = MoneyField(label=_l("Least amount in euros"), required=False, max_length=12)
    maximum = MoneyField(label=_l("Highest amount in euros"), required=False, max_length=12)
    maximum_per = _choice(_l("It is counted for"), (("day", _l("a day")), ("24h", _l("24 hours of the stay"))))
    longest = _minutes(_l("Longest stay (minutes)"))
    longest_counts = _choice(
        _l("For it count"), (("all", _l("all minutes")), ("charged", _l("minutes that cost something")))
    )
    holidays = _choice(
        _l("A public holiday is"),
        (("weekday", _l("a day as any other")), ("sunday", _l("a Sunday")), ("free", _l("free of charge")),
         ("own", _l("a day with rates of its own"))),
    )  # fmt: skip
    sites = forms.MultipleChoiceField(
        label=_l("Car parks where this tariff holds"), required=False,
        help_text=_l("From the release on. Those that are not ticked stay as they are."),
    )  # fmt: skip
    source = forms.CharField(
        label=_l("Source"), max_length=500, help_text=_l("E.g. the decision of the council, or an address."),
        error_messages={"required": _l("Say who decided it.")},
    )  # fmt: skip
    date = forms.CharField(label=_l("Date of the source"), max_length=21, help_text=_l("E.g. 2026-11-22."))
    note = forms.CharField(label=_l("Note"), max_length=500, required=False)

    def __init__(self, *args: Any, tariffs: Tariffs, places: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.tariffs = tariffs
        plans = [(key, name_of(plan.name)) for key, plan in tariffs.plans.items() if not plan.permit]
        self.fields["plan"].choices = [*plans, (NEW, _("a new one"))]  # type: ignore[attr-defined]  # a field of choices
        self.fields["sites"].choices = places  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A new plan has a name in both languages; a car park has one tariff."""
        said = super().clean() or {}
        if said.get("plan") == NEW:
            for name in ("name_de", "name_en"):
                if not said.get(name):
                    self.add_error(name, _("A new tariff has a name in German and in English."))
        for name in ("valid_from", "valid_until"):
            if said.get(name) and not 1990 <= said[name].year <= 2200:
                self.add_error(name, _("This is no day."))
        for site in said.get("sites") or ():
            known = self.tariffs.sites.get(site)
            if known is not None and known.plan and known.plan != said.get("plan"):
                names = {"site": dict(self.fields["sites"].choices).get(site, site),  # type: ignore[attr-defined]
                         "plan": name_of(self.tariffs.plans[known.plan].name)}  # fmt: skip
                self.add_error("sites", _("At %(site)s the tariff “%(plan)s” holds: change that one.") % names)
        return said

    def body(self) -> dict[str, Any]:
        """With the file's keys, without rates."""
        data = self.cleaned_data
        found: dict[str, Any] = {"source": data["source"], "date": data["date"].strip()}
        found |= {name: data[name].isoformat() for name in ("valid_from", "valid_until") if data[name]}
        found |= {name: data[name] for name in ("note", "minimum", "maximum") if data[name]}
        found |= {name: f"PT{data[name]}M" for name in ("free", "longest") if data[name]}
        if data["free_short"] == "short":
            found["free_short"] = True
        return found | {name: data[name] for name in ("maximum_per", "longest_counts", "holidays")}


Rates = forms.formset_factory(RateForm, extra=2, max_num=MOST_RATES, absolute_max=MOST_RATES)


def read(form: TariffForm, rates: Any, *, handle: str) -> dict[str, Any] | None:
    """What is written down of both, or None, with what is wrong at its field. ``handle`` is the id of a new plan."""
    good = form.is_valid()
    if not (rates.is_valid() and good):
        return None
    rows = [each for each in rates.forms if each.has_changed() and not each.empty]
    body = {**form.body(), "rates": [each.body() for each in rows]}
    plan = form.cleaned_data["plan"]
    try:
        if plan == NEW:
            plan = handle
            check_id(plan, "name_en")
            if plan in form.tariffs.plans:
                form.add_error("name_en", _("There is a tariff of this name: choose it above."))
        read_version(body, "")
    except ProfileError as error:
        _tell(form, rows, error)
        return None
    if form.errors:
        return None
    known = form.tariffs.plans.get(plan)
    names: Mapping[str, str] = known.name if known is not None else {}
    return {
        "plan": plan,
        "name_de": names.get("de") or form.cleaned_data["name_de"],
        "name_en": names.get("en") or form.cleaned_data["name_en"],
        "body": body,
        "valid_from": form.cleaned_data["valid_from"],
        "valid_until": form.cleaned_data["valid_until"],
        "sites": form.cleaned_data["sites"],
    }


def _tell(form: TariffForm, rows: list[RateForm], error: ProfileError) -> None:
    """At the field that the place names: ``.rates[1].step``, ``.free``."""
    words = _(error.template) % error.arguments if error.arguments else _(error.template)
    match = re.match(r"\.?rates\[(\d+)\](?:\.(\w+))?", error.place)
    if match is not None:
        field = {"price": "amount", "flat": "amount", None: "amount"}.get(match[2], match[2])
        rows[int(match[1])].add_error(field if field in RateForm.base_fields else "amount", words)
        return
    name = error.place.lstrip(".") or "valid_until"
    form.add_error(name if name in form.fields else None, words)


def initial_of(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The fields, and those of each rate, of a version as it is kept."""
    said = {name: body.get(name, "") for name in ("source", "date", "note", "maximum_per",
                                                  "longest_counts", "holidays")}  # fmt: skip
    said |= {name: _of_length(body.get(name)) for name in ("free", "longest")}
    said |= {name: _of_money(body.get(name)) for name in ("minimum", "maximum")}
    said["free_short"] = "short" if body.get("free_short") else "all"
    said |= {name: body.get(name, "") for name in ("valid_from", "valid_until")}
    rates = [
        {
            "kind": "flat" if "flat" in rate else "price",
            "amount": _of_money(rate.get("flat") or rate.get("price")),
            "days": rate.get("days", []),
            "begin": rate.get("begin", ""),
            "end": rate.get("end", ""),
            "step": _of_length(rate.get("step")),
            "after": _of_length(rate.get("after")),
        }
        for rate in body.get("rates", [])
    ]
    return said, rates


def _of_money(said: str | None) -> str:
    return number_format(Decimal(said), decimal_pos=2) if said else ""


def _of_length(said: str | None) -> int | None:
    return int(said[2:-1]) if said else None


def day_names() -> dict[str, str]:
    """Short names of the days that a rate may have."""
    names = {each: date_format(date(2024, 1, 1 + n), "D") for n, each in enumerate(WEEKDAYS)}
    return {**names, HOLIDAY: _("public holiday")}
