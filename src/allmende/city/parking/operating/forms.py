"""The forms of operators. Times are the city's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from allmende.city.parking.operating.models import Lease, Override

LONGEST = timedelta(days=31)
"""Of an override: longer than this it is a closure, a lease or a choice."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Of a beginning: no counting is older, and the first year of all has no UTC."""
MOST_SEEN = 1_000_000_000
"""Of a version: the next one still is a number that the database knows."""
_TIMES = ["%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M"]


def _time(label: Any, *, required: bool, hint: Any = "") -> forms.DateTimeField:
    told = {"required": _l("Say until when."), "invalid": _l("This is no time.")}
    box = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(
        label=label, help_text=hint, input_formats=_TIMES, required=required, error_messages=told, widget=box
    )


def _words(label: Any, *, most: int, required: bool = False, hint: Any = "", told: Any = "") -> forms.CharField:
    messages = {"required": told} if told else {}
    return forms.CharField(
        label=label, max_length=most, required=required, help_text=hint, error_messages=messages, strip=True
    )


def _count(label: Any, *, least: int, required: bool, hint: Any = "") -> forms.IntegerField:
    told = {"required": _l("Say how many."), "invalid": _l("This is no whole number.")}
    return forms.IntegerField(
        label=label, min_value=least, max_value=1_000_000, required=required, help_text=hint, error_messages=told
    )


class Paper(forms.Form):
    """What all of them have: the version of the paperwork that the person has seen, and the moment and the site that
    they are about."""

    seen = forms.IntegerField(min_value=0, max_value=MOST_SEEN, widget=forms.HiddenInput)
    now: datetime
    capacity: int | None

    def __init__(self, *args: Any, now: datetime, capacity: int | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.now, self.capacity = now, capacity

    def clean_until(self) -> datetime | None:
        """Not in the past."""
        until: datetime | None = self.cleaned_data["until"]
        if until is not None and until <= self.now:
            raise forms.ValidationError(_("This time has passed."))
        return until

    def clean(self) -> dict[str, Any]:
        """The end is behind the start."""
        said = super().clean() or {}
        start, until = said.get("start"), said.get("until")
        if start and start < EARLIEST:
            self.add_error("start", _("This is no time."))
        elif start and until and until <= start:
            self.add_error("until", _("The end has to be after the start."))
        return said

    def _fits(self, name: str) -> int | None:
        spaces: int | None = self.cleaned_data[name]
        if spaces is not None and self.capacity is not None and spaces > self.capacity:
            words = ngettext("There is %(n)d space.", "There are %(n)d spaces.", self.capacity) % {"n": self.capacity}
            raise forms.ValidationError(words)
        return spaces

    def values(self) -> dict[str, Any]:
        """What is written down."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "seen"}
        if "start" in said:
            said["start"] = said["start"] or self.now
        else:
            said["start"] = self.now
        return said


class OverrideForm(Paper):
    """A number, closed, or no number, until a time, for a reason."""

    status = forms.ChoiceField(
        label=_l("What is shown"),
        choices=[
            (Override.LIVE, _l("This number of free spaces")),
            (Override.CLOSED, _l("Closed")),
            (Override.UNKNOWN, _l("No number")),
        ],
    )
    free = _count(_l("Free spaces"), least=0, required=False)
    until = _time(_l("Until"), required=True)
    reason = _words(
        _l("Reason"), most=200, required=True, hint=_l("Everybody can read this."),
        told=_l("Say in a few words why."),
    )  # fmt: skip
    note = _words(_l("Note for operators"), most=500, hint=_l("Only operators see this."))

    def clean_free(self) -> int | None:
        """No more than there are."""
        return self._fits("free")

    def clean_until(self) -> datetime | None:
        """Not for ever."""
        until = super().clean_until()
        if until is not None and until > self.now + LONGEST:
            raise forms.ValidationError(
                _("31 days are the most. For longer there are closures, leased spaces and chosen figures.")
            )
        return until

    def clean(self) -> dict[str, Any]:
        """A number where one is to be shown, and none where not."""
        said = super().clean()
        if said.get("status") == Override.LIVE and said.get("free") is None and "free" not in self.errors:
            self.add_error("free", _("Say how many."))
        elif said.get("status") != Override.LIVE:
            said["free"] = None
        return said


class ClosureForm(Paper):
    """The site, or a part of it, is closed."""

    spaces = _count(_l("Only so many spaces"), least=1, required=False, hint=_l("Empty: the whole car park is closed."))
    start = _time(_l("From"), required=False, hint=_l("Empty: from now on."))
    until = _time(_l("Until"), required=False, hint=_l("Empty: until further notice."))
    text = _words(_l("What everybody reads"), most=300)
    reason = _words(
        _l("Reason"), most=500, required=True, hint=_l("Only operators see this."),
        told=_l("Say in a few words why."),
    )  # fmt: skip

    def clean_spaces(self) -> int | None:
        """No more than there are."""
        return self._fits("spaces")


class LeaseForm(Paper):
    """Spaces that are not public."""

    spaces = _count(_l("Spaces"), least=1, required=True)
    kind = forms.ChoiceField(
        label=_l("For whom"),
        choices=[(Lease.LEASED, _l("Leased")), (Lease.PERMIT, _l("Holders of permits"))],
    )
    start = _time(_l("From"), required=False, hint=_l("Empty: from now on."))
    until = _time(_l("Until"), required=False, hint=_l("Empty: until further notice."))
    reason = _words(
        _l("Reason"), most=500, required=True, hint=_l("Only operators see this."),
        told=_l("Say in a few words why."),
    )  # fmt: skip

    def clean_spaces(self) -> int | None:
        """No more than there are."""
        return self._fits("spaces")


class EventForm(Paper):
    """Something that fills or empties car parks."""

    name = _words(_l("Name"), most=200, required=True, told=_l("Say what it is."))
    sites = forms.MultipleChoiceField(
        label=_l("Which car parks"), error_messages={"required": _l("Choose at least one.")}
    )
    start = _time(_l("From"), required=False, hint=_l("Empty: from now on."))
    until = _time(_l("Until"), required=True)
    effect = _words(_l("What it means for parking"), most=500, hint=_l("Everybody can read this."))
    on_signs = forms.BooleanField(label=_l("Also on the signs of these car parks"), required=False, initial=True)
    sign_de = _words(_l("Text on signs, German"), most=100, hint=_l("Empty: the name, where a sign has room for it."))
    sign_en = _words(_l("Text on signs, English"), most=100)

    def __init__(self, *args: Any, sites: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["sites"].choices = sites  # type: ignore[attr-defined]  # a field of choices

    def values(self) -> dict[str, Any]:
        """See Paper."""
        said = super().values()
        texts = {language: said.pop(f"sign_{language}") for language in ("de", "en")}
        return {**said, "sign_text": {name: text for name, text in texts.items() if text}, "reason": ""}


class ChoiceForm(Paper):
    """Which statement on a fact counts."""

    fact = forms.CharField(max_length=100)
    statement = forms.IntegerField(min_value=0, error_messages={"required": _l("Choose one.")})
    reason = _words(_l("Reason"), most=500, required=True, told=_l("Say in a few words why."))
