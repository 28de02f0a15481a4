"""Fields of forms in the house's design, and words for what allauth keeps."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django import template
from django.forms import BoundField, CheckboxInput, HiddenInput, Select
from django.utils.safestring import SafeString

from allmende.web.accounts.own import provider_title

register = template.Library()


@register.inclusion_tag("accounts/_field.html")
def field(bound: BoundField, label: str = "", hint: str = "", **attributes: Any) -> dict[str, Any]:
    """A field with its label, a hint and what is wrong with it; further words become attributes of the input."""
    check, choice = isinstance(bound.field.widget, CheckboxInput), isinstance(bound.field.widget, Select)
    kind = "kern-form-check__checkbox" if check else "" if choice else "kern-form-input__input"
    if choice:
        kind = "kern-form-input__select"
    if bound.errors and not check:
        kind += " kern-form-input__input--error"
    given = {"class": kind, "placeholder": "", **{name.replace("_", "-"): value for name, value in attributes.items()}}
    id_ = str(attributes.get("id") or bound.auto_id)
    said = [f"{id_}_{part}" for part, there in (("error", bound.errors), ("hint", hint)) if there]
    if said:
        given["aria-describedby"] = " ".join(said)
    return {
        "bound": bound,
        "id": id_,
        "label": label or bound.label,
        "hint": hint,
        "check": check,
        "choice": choice,
        "hidden": isinstance(bound.field.widget, HiddenInput),
        "input": _plain(bound, given),
    }


def _plain(bound: BoundField, attributes: dict[str, Any]) -> SafeString:
    """The input without what allauth's forms say to a browser in other words than ours."""
    widget = bound.field.widget
    kept = dict(widget.attrs)
    widget.attrs.pop("placeholder", None)
    attributes = {key: value for key, value in attributes.items() if value not in ("", None)}
    try:
        return bound.as_widget(attrs=attributes)
    finally:
        widget.attrs = kept


@register.filter
def said_by(account: SocialAccount) -> str:
    """What a linked log-in is called."""
    return provider_title(account)
