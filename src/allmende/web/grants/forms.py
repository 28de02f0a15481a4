"""The form that grants access."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from allmende.web.accounts.models import Organisation, User
from allmende.web.accounts.roles import ROLES

ROLE_TITLES = {
    "reader": _("Readers"),
    "contributor": _("Contributors"),
    "editor": _("Editors"),
    "steward": _("Stewards"),
    "administrator": _("Administrators"),
}


class GrantForm(forms.Form):
    """To whom, for what, until when; a person is named by the user name."""

    user = forms.CharField(max_length=150, required=False)
    organisation = forms.ModelChoiceField(Organisation.objects.all(), required=False)
    role = forms.ChoiceField(choices=[("", "–"), *((name, ROLE_TITLES[name]) for name in ROLES[1:])], required=False)
    purpose = forms.CharField(max_length=500, error_messages={"required": _("Say what the data are for.")})
    until = forms.DateField(
        error_messages={"required": _("Say until when."), "invalid": _("This is no date.")},
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
    )

    def clean_user(self) -> User | None:
        """The account of that name."""
        name: str = self.cleaned_data["user"].strip()
        if not name:
            return None
        found = User.objects.filter(username=name, is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("There is no account of that name."))
        return found

    def values(self) -> dict[str, Any]:
        """What :func:`allmende.web.grants.grants.grant` takes."""
        return {name: self.cleaned_data[name] for name in ("user", "organisation", "role", "purpose", "until")}
