"""The fields of the office's forms: which part of a table each shows, and what it is called.

A form shows and changes the parts that stand here; whatever else a table says is kept as it is. To have another part of
a table edited, add a line to its list. ``path`` is the way into the table (``contract.interval``).
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from allmende.domain import vocabulary
from allmende.domain.profile import Profile

Shape = Literal["text", "long", "email", "url", "number", "choice", "many", "yes", "duration", "list", "rows"]
Choices = Callable[[Profile], Mapping[str, Any]]
"""Value -> words."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a table. Left empty, it is not said."""

    path: str
    label: Any
    shape: Shape = "text"
    hint: Any = ""
    required: bool = False
    in_languages: bool = False
    """One text for each language of the profile."""
    choices: Choices | None = None
    specials: Mapping[str, Any] = {}
    """Of a duration: words that may stand in its place."""
    columns: tuple["Field", ...] = ()
    """Of rows: a list of tables, or, where the first is its ``key``, a table of tables."""
    keyed: bool = False
    default: Any = None
    """What an empty field means; for ``yes`` and choices."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Fields under one heading."""

    title: Any
    fields: tuple[Field, ...]


def _languages_texts(texts: Mapping[str, str], profile: Profile) -> str:
    from allmende.web.portal.sources import spoken

    return spoken(texts)


def _datasets(profile: Profile) -> dict[str, Any]:
    return {key: _languages_texts(dataset.title, profile) for key, dataset in profile.datasets.items()}


def _sources(profile: Profile) -> dict[str, Any]:
    named = {key: _languages_texts(source.title, profile) for key, source in profile.sources.items()}
    return named | {f"rule/{key}": _languages_texts(rule.title, profile) for key, rule in profile.rules.items()}


def _access(profile: Profile) -> dict[str, Any]:
    return {
        "open": _("open: anybody may read it"),
        "restricted": _("restricted: only whoever is allowed to"),
        "protected": _("protected: by law"),
    }


def _licences(profile: Profile) -> dict[str, Any]:
    said = {dataset.licence: dataset.licence for dataset in profile.datasets.values()}
    return said | _terms(vocabulary.LICENCES)(profile)


def _terms(name: str) -> Choices:
    """The words of a vocabulary."""

    def choices(_profile: Profile) -> dict[str, Any]:
        from allmende.web.portal.sources import spoken

        return {key: spoken(term.label) for key, term in vocabulary.vocabulary(name).terms.items()}

    return choices


def _series(profile: Profile) -> dict[str, Any]:
    return {key: words for key, words in _datasets(profile).items() if profile.datasets[key].series}


def _takes(profile: Profile) -> dict[str, Any]:
    return {
        "mean": _("mean"),
        "minimum": _("smallest value"),
        "maximum": _("largest value"),
        "sum": _("sum"),
        "first": _("first value"),
        "last": _("last value"),
    }


_NEVER = {"never": _("at no time")}

DATASET = (
    Group(
        title=_("What it is"),
        fields=(
            Field(path="title", label=_("Title"), in_languages=True, required=True),
            Field(path="description", label=_("Description"), shape="long", in_languages=True, required=True),
        ),
    ),
    Group(
        title=_("Whose it is"),
        fields=(
            Field(path="publisher", label=_("Publisher"), required=True),
            Field(path="licence", label=_("Licence"), shape="choice", choices=_licences, required=True),
            Field(
                path="attribution",
                label=_("Attribution"),
                hint=_("As it has to stand beside the data."),
                required=True,
            ),
        ),
    ),
    Group(
        title=_("Who may read it"),
        fields=(
            Field(path="access", label=_("Access"), shape="choice", choices=_access, default="open"),
            Field(
                path="public_description",
                label=_("Everybody may know of it, also where not everybody may see it"),
                shape="yes",
                default=False,
            ),
            Field(
                path="simulated",
                label=_("These values are simulated"),
                shape="yes",
                hint=_("Then they are marked wherever they are shown."),
                default=False,
            ),
        ),
    ),
    Group(
        title=_("People in it"),
        fields=(
            Field(
                path="personal.purpose",
                label=_("What data about people are for"),
                hint=_("Only where somebody can be known from the data."),
                in_languages=True,
            ),
            Field(path="legal_basis", label=_("What allows it"), shape="long", in_languages=True),
            Field(
                path="personal.delete_after",
                label=_("They are deleted after"),
                shape="duration",
            ),
            Field(
                path="counts_of_people",
                label=_("It counts people: the smallest count that may be told"),
                shape="number",
                hint=_("Smaller counts stay with those who may read it."),
            ),
        ),
    ),
    Group(
        title=_("How it is found"),
        fields=(
            Field(path="themes", label=_("Themes"), shape="many", choices=_terms(vocabulary.THEMES)),
            Field(path="keywords", label=_("Keywords"), shape="list", in_languages=True, hint=_("One in each line.")),
            Field(path="part_of", label=_("Belongs to the series"), shape="choice", choices=_series),
            Field(path="related", label=_("Related"), shape="list", hint=_("Ids or addresses, one a line.")),
        ),
    ),
    Group(
        title=_("Whom to ask"),
        fields=(
            Field(path="contact.name", label=_("Name of the contact")),
            Field(path="contact.mail", label=_("E-mail address of the contact"), shape="email"),
            Field(path="contact.page", label=_("Page of the contact"), shape="url"),
            Field(path="contact.phone", label=_("Telephone of the contact"), hint=_("With the country's code, +49 …")),
            Field(path="creator", label=_("Made by")),
            Field(path="maintainer", label=_("Looked after by")),
        ),
    ),
    Group(
        title=_("Where it is from, and by which law"),
        fields=(
            Field(path="provenance", label=_("Provenance"), shape="long", in_languages=True),
            Field(
                path="periodicity",
                label=_("Renewed"),
                shape="choice",
                choices=_terms(vocabulary.FREQUENCIES),
                hint=_("Empty: by what its sources promise."),
            ),
            Field(
                path="availability",
                label=_("How long it will be there"),
                shape="choice",
                choices=_terms(vocabulary.AVAILABILITIES),
            ),
            Field(path="landing_page", label=_("Page of the publisher"), shape="url"),
            Field(path="documentation", label=_("Documentation"), shape="list", hint=_("Addresses, one a line.")),
            Field(path="conforms_to", label=_("Standards kept"), shape="list", hint=_("Addresses, one a line.")),
            Field(
                path="high_value",
                label=_("High-value dataset of the EU"),
                shape="many",
                choices=_terms(vocabulary.HIGH_VALUE),
            ),
        ),
    ),
)

SOURCE = (
    Group(
        title=_("What it is"),
        fields=(
            Field(path="title", label=_("Title"), in_languages=True, required=True),
            Field(path="enabled", label=_("Switched on"), shape="yes"),
            Field(path="dataset", label=_("Dataset"), shape="choice", choices=_datasets, required=True),
            Field(
                path="responsible",
                label=_("Responsible"),
                shape="email",
                hint=_("E-mail address of whoever is told of troubles."),
            ),
        ),
    ),
    Group(
        title=_("Where it comes from"),
        fields=(
            Field(path="address", label=_("Address"), shape="url", hint=_("https:// is asked, wss:// is listened to.")),
            Field(
                path="interval",
                label=_("Ask every"),
                shape="duration",
                hint=_("Empty where data is sent to us."),
            ),
            Field(path="topic", label=_("MQTT topic"), hint=_("With + and # as wildcards.")),
        ),
    ),
    Group(
        title=_("What may be expected of it"),
        fields=(
            Field(
                path="contract.interval",
                label=_("A new value every"),
                shape="duration",
                specials=_NEVER,
                hint=_("Empty: as the connector says."),
            ),
            Field(path="contract.late_after", label=_("Late after"), shape="duration", specials=_NEVER),
            Field(path="contract.missing_after", label=_("Missing after"), shape="duration", specials=_NEVER),
            Field(path="contract.frozen_after", label=_("Frozen after"), shape="duration", specials=_NEVER),
            Field(path="contract.per_day", label=_("Values a day"), shape="number"),
            Field(
                path="contract.ranges",
                label=_("Plausible values"),
                shape="rows",
                keyed=True,
                hint=_("Values outside are kept and flagged. Empty both ends to remove a line."),
                columns=(
                    Field(path="key", label=_("Property")),
                    Field(path="low", label=_("From"), shape="number"),
                    Field(path="high", label=_("To"), shape="number"),
                ),
            ),
        ),
    ),
)

RETENTION = (
    Group(
        title=_("For which streams"),
        fields=(
            Field(
                path="dataset",
                label=_("Datasets"),
                shape="many",
                choices=_datasets,
                hint=_("Where several kinds are chosen, a stream has to fit all of them."),
            ),
            Field(path="source", label=_("Sources and rules"), shape="many", choices=_sources),
            Field(
                path="property",
                label=_("Observed properties"),
                shape="list",
                hint=_("One id in each line."),
            ),
            Field(
                path="stream",
                label=_("Streams"),
                shape="list",
                hint=_("One id in each line; * stands for anything, * alone for all."),
            ),
        ),
    ),
    Group(
        title=_("How long, and how finely"),
        fields=(
            Field(
                path="keep",
                label=_("Keep"),
                shape="duration",
                specials={"forever": _("for ever"), "latest": _("only the newest value")},
                default="forever",
            ),
            Field(
                path="thin",
                label=_("Merge what is older"),
                shape="rows",
                hint=_("The youngest first. Empty a line to remove it."),
                columns=(
                    Field(path="after", label=_("Older than"), shape="duration", required=True),
                    Field(path="bucket", label=_("To one value per"), shape="duration", required=True),
                    Field(path="take", label=_("Value"), shape="choice", choices=_takes, default="mean"),
                ),
            ),
        ),
    ),
)

FORMS: dict[str, tuple[Group, ...]] = {"dataset": DATASET, "source": SOURCE, "retention": RETENTION}
TITLES = {
    "dataset": _("Datasets"),
    "source": _("Sources"),
    "retention": _("Retention"),
    "rule": _("Rules"),
    "groups": _("Groups"),
    "thing": _("Things"),
}
ONE = {
    "dataset": _("Dataset"),
    "source": _("Source"),
    "retention": _("Retention rule"),
    "rule": _("Rule"),
    "groups": _("Groups"),
    "thing": _("Thing"),
}
EDITORS: dict[str, str] = {**dict.fromkeys(FORMS, "office:edit"), "rule": "rulebook:edit"}
"""Kind -> name of the page that edits one table of it: with the arguments kind and key, or with the key alone."""
NEW: dict[str, str] = {
    "dataset": "office:new",
    "retention": "office:new",
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


def fields_of(kind: str) -> list[Field]:
    """All fields of a kind's form."""
    return [field for group in FORMS.get(kind, ()) for field in group.fields]
