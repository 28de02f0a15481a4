"""The office's forms: which parts of each kind of table are edited, and what they are called there.

To have another part of a table edited, add a line to its list.
"""

from django.utils.translation import gettext_lazy as _

from allmende.domain import vocabulary
from allmende.web.office import choices
from allmende.web.office.fields import (
    Field,
    Group,
    choice,
    duration,
    email,
    group,
    lines,
    listed,
    lists,
    long_texts,
    many,
    number,
    numbers,
    rows,
    text,
    texts,
    url,
    yes,
)
from allmende.web.office.tables_alerts import ALERT, CHANNEL
from allmende.web.office.tables_city import (
    CITY_FORMS,
    FORECAST,
    HARVEST,
    ORGANISATION,
    POLICY,
    PROPERTY,
    SYNONYM,
    THING,
)

_NEVER = {"never": _("at no time")}

DATASET = (
    group(
        _("What it is"),
        texts("title", _("Title"), required=True),
        long_texts("description", _("Description"), required=True),
    ),
    group(
        _("Whose it is"),
        text("publisher", _("Publisher"), required=True),
        choice("licence", _("Licence"), choices.licences, required=True),
        text("attribution", _("Attribution"), _("As it has to stand beside the data."), required=True),
    ),
    group(
        _("Who may read it"),
        choice("access", _("Access"), choices.access, default="open"),
        yes("public_description", _("Everybody may know of it, also where not everybody may see it")),
        yes("simulated", _("These values are simulated"), _("Then they are marked wherever they are shown.")),
    ),
    group(
        _("People in it"),
        texts(
            "personal.purpose",
            _("What data about people are for"),
            _("Only where somebody can be known from the data."),
        ),
        long_texts("legal_basis", _("What allows it")),
        duration("personal.delete_after", _("They are deleted after")),
        number(
            "counts_of_people",
            _("It counts people: the smallest count that may be told"),
            _("Smaller counts stay with those who may read it."),
        ),
    ),
    group(
        _("How it is found"),
        many("themes", _("Themes"), choices.terms(vocabulary.THEMES)),
        lists("keywords", _("Keywords"), _("One in each line.")),
        choice("part_of", _("Belongs to the series"), choices.series),
        listed("related", _("Related"), _("Ids or addresses, one a line.")),
    ),
    group(
        _("Whom to ask"),
        text("contact.name", _("Name of the contact")),
        email("contact.mail", _("E-mail address of the contact")),
        url("contact.page", _("Page of the contact")),
        text("contact.phone", _("Telephone of the contact"), _("With the country's code, +49 …")),
        text("creator", _("Made by")),
        text("maintainer", _("Looked after by")),
        text("originator", _("Originally by")),
        listed("contributors", _("Contributors"), _("One in each line.")),
    ),
    group(
        _("Where it is from, and by which law"),
        long_texts("provenance", _("Provenance")),
        choice(
            "periodicity",
            _("Renewed"),
            choices.terms(vocabulary.FREQUENCIES),
            _("Empty: by what its sources promise."),
        ),
        choice("availability", _("How long it will be there"), choices.terms(vocabulary.AVAILABILITIES)),
        url("landing_page", _("Page of the publisher")),
        listed("documentation", _("Documentation"), _("Addresses, one a line.")),
        listed("conforms_to", _("Standards kept"), _("Addresses, one a line.")),
        many("high_value", _("High-value dataset of the EU"), choices.terms(vocabulary.HIGH_VALUE)),
        listed("legislation", _("Laws that ask for it"), _("ELI addresses, one a line.")),
    ),
    group(
        _("Where and when"),
        listed("geocoding", _("Keys of territory"), _("One in each line, e.g. municipalityKey/16053000.")),
        numbers("bbox", _("Extent"), _("West, south, east, north in degrees. Empty: measured.")),
        text("period.start", _("From"), _("2025, 2025-02 or 2025-02-01. Empty: measured.")),
        text("period.end", _("To")),
        text("issued", _("First published on")),
    ),
    group(
        _("Versions, files and its end"),
        yes("series", _("It is a series: it has members and no data of its own")),
        rows(
            "versions",
            _("Versions"),
            _("The oldest first. Empty a line to remove it."),
            text("number", _("Number")),
            text("date", _("Date")),
            texts("reason", _("Reason")),
        ),
        rows(
            "downloads",
            _("Files elsewhere"),
            _("Empty a line to remove it."),
            texts("title", _("Title")),
            url("address", _("Address")),
            choice("format", _("Format"), choices.terms(vocabulary.FORMATS)),
        ),
        listed("other_ids", _("How others call it"), _("Ids in other catalogues or a DOI, one a line.")),
        text("withdrawn.date", _("Withdrawn on"), _("Only where it is no longer given out.")),
        texts("withdrawn.reason", _("Why it was withdrawn")),
        choice("withdrawn.successor", _("What took its place"), choices.datasets),
    ),
)

SOURCE = (
    group(
        _("What it is"),
        texts("title", _("Title"), required=True),
        yes("enabled", _("Switched on"), default=None),
        choice("dataset", _("Dataset"), choices.datasets, required=True),
        email("responsible", _("Responsible"), _("E-mail address of whoever is told of troubles.")),
    ),
    group(
        _("Where it comes from"),
        url("address", _("Address"), _("https:// is asked, wss:// is listened to.")),
        duration("interval", _("Ask every"), _("Empty where data is sent to us.")),
        text("topic", _("MQTT topic"), _("With + and # as wildcards.")),
        lines("headers", _("Headers of requests"), _("A line each: X-Key = ${SOURCE_KEY}")),
        lines("secrets", _("Where its secrets lie"), _("A line each: token = SOURCE_TOKEN. Never the secret itself.")),
        lines("settings", _("Settings of the connector"), _("A line each: name = value; lists and tables as JSON.")),
    ),
    group(
        _("What may be expected of it"),
        duration("contract.interval", _("A new value every"), _("Empty: as the connector says."), specials=_NEVER),
        duration("contract.late_after", _("Late after"), specials=_NEVER),
        duration("contract.missing_after", _("Missing after"), specials=_NEVER),
        duration("contract.frozen_after", _("Frozen after"), specials=_NEVER),
        number("contract.per_day", _("Values a day")),
        rows(
            "contract.ranges",
            _("Plausible values"),
            _("Values outside are kept and flagged. Empty both ends to remove a line."),
            text("key", _("Property")),
            number("low", _("From")),
            number("high", _("To")),
            keyed=True,
        ),
    ),
)

RETENTION = (
    group(
        _("For which streams"),
        many(
            "dataset",
            _("Datasets"),
            choices.datasets,
            _("Where several kinds are chosen, a stream has to fit all of them."),
        ),
        many("source", _("Sources and rules"), choices.sources),
        listed("property", _("Observed properties"), _("One id in each line.")),
        listed("stream", _("Streams"), _("One id in each line; * stands for anything, * alone for all.")),
    ),
    group(
        _("How long, and how finely"),
        duration(
            "keep",
            _("Keep"),
            specials={"forever": _("for ever"), "latest": _("only the newest value")},
            default="forever",
        ),
        rows(
            "thin",
            _("Merge what is older"),
            _("The youngest first. Empty a line to remove it."),
            duration("after", _("Older than"), required=True),
            duration("bucket", _("To one value per"), required=True),
            choice("take", _("Value"), choices.takes, default="mean"),
        ),
    ),
)

GROUPS = (
    group(
        _("What it is"),
        texts("title", _("Title"), required=True),
        text("kind", _("Kind of things"), _("What stands for a group, e.g. soil-site."), required=True),
        text("source", _("Where the table is from"), required=True),
        text("date", _("Of which date"), _("2025, 2025-02, 2025-02-01, or undated."), required=True),
    ),
    group(
        _("Who belongs to a group"),
        choice("match", _("A group has"), choices.matches, default="members"),
        text("property", _("Property of things that says their group"), _("Only where things say it themselves.")),
    ),
    group(
        _("What the columns are called"),
        text("key", _("Column that tells groups apart"), default="id"),
        text("name", _("Column with the name"), default="name"),
        text("member", _("Column with ids of things"), default="member"),
        listed("facts", _("Columns that rules and pages may use"), _("One in each line.")),
        text("prefix", _("Before the group's id in the id of its thing"), _("For example soil-site-.")),
    ),
)

FORMS: dict[str, tuple[Group, ...]] = {
    "dataset": DATASET,
    "source": SOURCE,
    "thing": THING,
    "property": PROPERTY,
    "synonym": SYNONYM,
    "organisation": ORGANISATION,
    "groups": GROUPS,
    "retention": RETENTION,
    "policy": POLICY,
    "harvest": HARVEST,
    "forecast": FORECAST,
    "alert": ALERT,
    "channel": CHANNEL,
    "city": tuple(part for form in CITY_FORMS.values() for part in form),
}


def form_of(kind: str, key: str) -> tuple[Group, ...]:
    """The form of one table; none where the office has no form for it."""
    return CITY_FORMS.get(key, ()) if kind == "city" else FORMS.get(kind, ())


def fields_of(kind: str) -> list[Field]:
    """All fields of a kind's form."""
    return [field for part in FORMS.get(kind, ()) for field in part.fields if field.path]
