"""The form."""

from django import forms
from django.utils.translation import gettext_lazy as _

from allmende.web.feedback.models import Message

TITLES = {
    "barrier": _("I cannot use something"),
    "fault": _("Something is wrong"),
    "other": _("Something else"),
}


class MessageForm(forms.ModelForm):
    """What happened, where, and how to answer. ``website`` is seen by programs alone, and stays empty."""

    kind = forms.ChoiceField(choices=list(TITLES.items()), initial="barrier")
    text = forms.CharField(max_length=5000, error_messages={"required": _("Please write what happened.")})
    email = forms.EmailField(
        max_length=254,
        required=False,
        error_messages={"invalid": _("This is no e-mail address, e.g. name@city.example.")},
    )
    page = forms.CharField(max_length=500, required=False)
    website = forms.CharField(max_length=100, required=False)

    class Meta:
        model = Message
        fields = ("kind", "page", "text", "email")
