"""The forms: how somebody wants to be told, and to which address."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from allmende.web.subscriptions.asking import Wishes
from allmende.web.subscriptions.models import AT_ONCE, DAILY, Subscriber

RHYTHMS = ((AT_ONCE, _("At once")), (DAILY, _("Once a day, at 7 in the morning")))
_TIME = {"invalid": _("This is no time, e.g. 22:00.")}


class WishesForm(forms.Form):
    """How and when."""

    rhythm = forms.ChoiceField(choices=RHYTHMS, initial=AT_ONCE)
    quiet_from = forms.TimeField(required=False, input_formats=["%H:%M"], error_messages=_TIME)
    quiet_to = forms.TimeField(required=False, input_formats=["%H:%M"], error_messages=_TIME)
    urgent = forms.BooleanField(required=False, initial=True)
    language = forms.ChoiceField(choices=settings.LANGUAGES)

    def clean(self) -> dict[str, Any]:
        """Quiet hours have two ends."""
        said = super().clean() or {}
        if (said.get("quiet_from") is None) != (said.get("quiet_to") is None) and not self.errors:
            self.add_error("quiet_to", _("Please say both times, or none."))
        return said

    def wishes(self) -> Wishes:
        """Of a form that is valid."""
        said = self.cleaned_data
        return Wishes(**{name: said[name] for name in Wishes.__struct_fields__})


class MailForm(WishesForm):
    """With an address. ``website`` is seen by programs alone, and stays empty."""

    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": _("Please write your e-mail address."),
            "invalid": _("This is no e-mail address, e.g. name@city.example."),
        },
    )
    website = forms.CharField(max_length=100, required=False)


class AddressForm(forms.Form):
    """An address alone."""

    email = MailForm.base_fields["email"]
    website = forms.CharField(max_length=100, required=False)


def initial_of(subscriber: Subscriber) -> dict[str, Any]:
    """What a subscriber wished."""
    said = {name: getattr(subscriber, name) for name in Wishes.__struct_fields__}
    for name in ("quiet_from", "quiet_to"):
        said[name] = said[name].strftime("%H:%M") if said[name] else ""
    return said
