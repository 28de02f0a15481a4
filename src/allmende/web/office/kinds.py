"""The kinds of tables that the office knows: what they are called, and the pages that edit and make them."""

from collections.abc import Mapping

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from allmende.web.office.tables import FORMS

TITLES = {
    "dataset": _("Datasets"),
    "source": _("Sources"),
    "retention": _("Retention"),
    "rule": _("Rules"),
    "groups": _("Groups"),
    "thing": _("Things"),
    "property": _("Observed properties"),
    "synonym": _("Words that mean the same"),
    "organisation": _("Organisations"),
    "policy": _("Terms of use"),
    "harvest": _("Catalogues of others"),
    "forecast": _("Forecasts"),
    "alert": _("Alerts"),
    "channel": _("Ways on which alerts are told"),
    "city": _("The city as a whole"),
}
ONE = {
    "dataset": _("Dataset"),
    "source": _("Source"),
    "retention": _("Retention rule"),
    "rule": _("Rule"),
    "groups": _("Groups"),
    "thing": _("Thing"),
    "property": _("Observed property"),
    "synonym": _("Words that mean the same"),
    "organisation": _("Organisation"),
    "policy": _("Terms of use"),
    "harvest": _("Catalogue of others"),
    "forecast": _("Forecast"),
    "alert": _("Alert"),
    "channel": _("Way on which alerts are told"),
    "city": _("The city as a whole"),
}
CITY = {
    "catalogue": _("Catalogue"),
    "facts": _("Facts of the city"),
    "geography": _("Geography and districts"),
    "calendar": _("Holidays"),
}
EDITORS: dict[str, str] = {**dict.fromkeys(FORMS, "office:edit"), "rule": "rulebook:edit"}
"""Kind -> name of the page that edits one table of it: with the arguments kind and key, or with the key alone."""
NEW: dict[str, str] = {
    "dataset": "office:new",
    "retention": "office:new",
    "groups": "office:new",
    "thing": "office:new",
    "property": "office:new",
    "synonym": "office:new",
    "organisation": "office:new",
    "policy": "office:new",
    "harvest": "office:new",
    "forecast": "office:new",
    "alert": "office:new",
    "channel": "office:new",
    "source": "making:begin",
    "rule": "rulebook:new",
}
"""Kind -> name of the page that makes one: with the argument kind, or with none."""


def address_of(pages: Mapping[str, str], kind: str, *key: str) -> str:
    """Of the page that edits or makes a table; "" where there is none."""
    if kind not in pages:
        return ""
    try:
        return reverse(pages[kind], args=[kind, *key])
    except NoReverseMatch:
        return reverse(pages[kind], args=list(key))
