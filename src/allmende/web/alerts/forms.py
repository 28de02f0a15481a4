"""The form by which an alert is silenced."""

from django import forms
from django.utils.translation import gettext_lazy as _

HOURS = (
    (1, _("1 hour")),
    (8, _("8 hours")),
    (24, _("1 day")),
    (72, _("3 days")),
    (168, _("1 week")),
    (720, _("30 days")),
)


class SilenceForm(forms.Form):
    """Of what nobody is told, for how long, and why."""

    alert = forms.ChoiceField()
    key = forms.CharField(max_length=300, required=False)
    hours = forms.TypedChoiceField(choices=HOURS, coerce=int, initial=24)
    reason = forms.CharField(max_length=500, min_length=5, error_messages={"required": _("Please say why.")})
