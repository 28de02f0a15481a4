"""The form for a request that came on paper."""

from django import forms
from django.utils.translation import gettext_lazy as _

from allmende.web.persons.models import ACCESS, ERASURE


class PaperForm(forms.Form):
    """Who asks, for what, and since when."""

    kind = forms.ChoiceField(choices=((ACCESS, _("Access to own data")), (ERASURE, _("Erasure"))))
    about = forms.CharField(max_length=254)
    received = forms.DateField(
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),  # as browsers want it, in any language
    )
    given = forms.ChoiceField(
        required=False,
        choices=(("", _("as chosen for each")), ("delete", _("delete")), ("leave", _("leave to the city"))),
    )
    note = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))
