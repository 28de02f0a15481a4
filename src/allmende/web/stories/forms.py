"""Forms of stories."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from allmende.domain.stories import StoryText

KINDS = {"story": _("Story"), "exercise": _("Exercise for schools")}
_REQUIRED = {"required": _("Please fill this in.")}


class TextForm(forms.Form):
    """One language of a story."""

    title = forms.CharField(label=_("Title"), max_length=150, error_messages=_REQUIRED)
    summary = forms.CharField(
        label=_("In one or two sentences"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    kind = forms.ChoiceField(label=_("Kind of page"), choices=list(KINDS.items()), initial="story")
    body = forms.CharField(
        label=_("Text"), max_length=60_000, widget=forms.Textarea(attrs={"rows": 24}), error_messages=_REQUIRED
    )

    def text(self) -> StoryText:
        """What was written."""
        said = self.cleaned_data
        body = said["body"].replace("\r\n", "\n")
        return StoryText(title=said["title"], summary=said["summary"], body=body)


def languages() -> dict[str, str]:
    """Those that a story may be there in."""
    return {code: str(name) for code, name in settings.LANGUAGES}
