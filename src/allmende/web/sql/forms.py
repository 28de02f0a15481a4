"""The form by which a question is kept."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class QuestionForm(forms.Form):
    """A name, what it is for, the question, and how its answer is drawn."""

    title = forms.CharField(max_length=200, error_messages={"required": _("Give it a name.")})
    description = forms.CharField(max_length=2000, required=False)
    text = forms.CharField(
        max_length=settings.ALLMENDE.sql_length, error_messages={"required": _("There is no question.")}
    )
    kind = forms.ChoiceField(choices=[("table", "table"), ("line", "line"), ("bar", "bar")], required=False)
    x = forms.CharField(max_length=200, required=False)
    y = forms.CharField(max_length=500, required=False)

    def clean_kind(self) -> str:
        """A table is the same as nothing."""
        kind: str = self.cleaned_data["kind"]
        return "" if kind == "table" else kind
