"""What can be chosen in the office's forms: value -> words, by the profile in force."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from allmende.domain import vocabulary
from allmende.domain.profile import Profile
from allmende.web.office.fields import Choices
from allmende.web.portal.sources import spoken


def datasets(profile: Profile) -> dict[str, Any]:
    """Every dataset."""
    return {key: spoken(dataset.title) for key, dataset in profile.datasets.items()}


def series(profile: Profile) -> dict[str, Any]:
    """Datasets that are series of others."""
    return {key: words for key, words in datasets(profile).items() if profile.datasets[key].series}


def sources(profile: Profile) -> dict[str, Any]:
    """Whatever gives readings: sources, rules as ``rule/NAME`` and forecasts as ``forecast/NAME``."""
    named = {key: spoken(source.title) for key, source in profile.sources.items()}
    named |= {f"rule/{key}": spoken(rule.title) for key, rule in profile.rules.items()}
    return named | {f"forecast/{key}": spoken(forecast.title) for key, forecast in profile.forecasts.items()}


def properties(profile: Profile) -> dict[str, Any]:
    """Observed properties that the city has words for and that are not merged into another."""
    return {key: spoken(each.name) for key, each in profile.properties.items() if not each.merged_into}


def channels(profile: Profile) -> dict[str, Any]:
    """Ways on which alerts are told."""
    return {key: spoken(each.title) or key for key, each in profile.channels.items()}


def licences(profile: Profile) -> dict[str, Any]:
    """Those that the city uses, those that catalogues know, and the city's own terms of use."""
    said = {dataset.licence: dataset.licence for dataset in profile.datasets.values()}
    own = {key: spoken(each.title) for key, each in profile.policies.items()}
    return said | terms(vocabulary.LICENCES)(profile) | own


def terms(name: str) -> Choices:
    """The words of a vocabulary that catalogues agree on."""

    def choices(_profile: Profile) -> dict[str, Any]:
        return {key: spoken(term.label) for key, term in vocabulary.vocabulary(name).terms.items()}

    return choices


def fixed(words: Mapping[str, Any]) -> Choices:
    """The same for every profile."""

    def choices(_profile: Profile) -> Mapping[str, Any]:
        return words

    return choices


access = fixed(
    {
        "open": _("open: anybody may read it"),
        "restricted": _("restricted: only whoever is allowed to"),
        "protected": _("protected: by law"),
    }
)
takes = fixed(
    {
        "mean": _("mean"),
        "minimum": _("smallest value"),
        "maximum": _("largest value"),
        "sum": _("sum"),
        "first": _("first value"),
        "last": _("last value"),
    }
)
matches = fixed(
    {
        "members": _("the things that its row names"),
        "inside": _("the things that stand inside of its outline"),
        "property": _("the things that say so by a property"),
    }
)
severities = fixed(
    {
        "minor": _("minor: good to know"),
        "moderate": _("moderate: look after it"),
        "severe": _("severe: act now"),
        "extreme": _("extreme: danger to life"),
    }
)
categories = fixed(
    {
        "Geo": _("ground and water levels"),
        "Met": _("weather"),
        "Env": _("environment"),
        "Health": _("health"),
        "Transport": _("traffic"),
        "Infra": _("supply and technology"),
        "Safety": _("safety"),
        "Security": _("security"),
        "Rescue": _("rescue"),
        "Fire": _("fire"),
        "CBRNE": _("hazardous substances"),
        "Other": _("other"),
    }
)
channel_kinds = fixed({"mail": _("e-mail"), "webhook": _("webhook"), "matrix": _("Matrix")})
harvests = fixed({"dcat": _("RDF (DCAT)"), "ckan": _("CKAN"), "piveau": _("a hub (piveau)")})
