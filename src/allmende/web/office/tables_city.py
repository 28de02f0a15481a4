"""The office's forms of what belongs to the city: its words, things, organisations, catalogue, figures and outlines."""

from django.utils.translation import gettext_lazy as _

from allmende.domain import vocabulary
from allmende.web.office import choices
from allmende.web.office.fields import (
    Group,
    choice,
    duration,
    email,
    file,
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
    value,
    yes,
)

_FACTS = (
    text("key", _("What it is about")),
    value("value", _("Value"), required=True),
    text("unit", _("Unit"), _("UCUM, for example km, /d.")),
    text("source", _("Where it is from"), required=True),
    text("date", _("Of which date"), required=True),
    text("note", _("Remark")),
)
_FACTS_HINT = _(
    "Where sources disagree, each has a line with the same name; the first is shown. Empty a line to remove it."
)

THING = (
    group(
        _("What it is"),
        text("name", _("Name"), required=True),
        text("kind", _("Kind"), _("For example gauge."), required=True),
        long_texts("description", _("Description"), required=True),
    ),
    group(
        _("Where it stands"),
        number("position.lon", _("Longitude in degrees")),
        number("position.lat", _("Latitude in degrees")),
        text("position.source", _("Who says so")),
        text("position.date", _("Of which date"), _("2025, 2025-02, 2025-02-01, or undated.")),
    ),
    group(_("What is known of it"), rows("facts", _("Facts"), _FACTS_HINT, *_FACTS, keyed="several")),
)

PROPERTY = (
    group(
        _("What it is called"),
        texts("name", _("Name"), required=True),
        long_texts("description", _("Description")),
        lists("synonyms", _("What else people call it"), _("One in each line. The search finds it by these.")),
    ),
    group(
        _("What it is"),
        url("definition", _("Address of its definition"), _("Empty: as its source says.")),
        text(
            "unit", _("Usual unit"), _("UCUM, for example Cel, hPa, km/h. Readings stay in the units of their sources.")
        ),
    ),
    group(
        _("Is it the same as another one?"),
        choice(
            "merged_into",
            _("Merge into"),
            choices.properties,
            _("What is sent from then on belongs to that one; rules and retention that name either mean both."),
        ),
    ),
)

SYNONYM = (
    group(
        _("Words that mean the same"),
        listed(
            "words", _("Words"), _("One in each line. Whoever searches for one finds the others, too."), required=True
        ),
    ),
)

ORGANISATION = (
    group(
        _("What it is"),
        text("name", _("Name"), _("As datasets name their publisher."), required=True),
        choice("type", _("Kind"), choices.terms(vocabulary.PUBLISHER_TYPES)),
        url("page", _("Page")),
        email("mail", _("E-mail address")),
        text("address", _("Postal address"), _("In one line.")),
    ),
)

CITY_FORMS: dict[str, tuple[Group, ...]] = {
    "catalogue": (
        group(
            _("The catalogue as a whole"),
            texts("title", _("Title")),
            long_texts("description", _("Description")),
            text("publisher", _("Publisher")),
            choice("licence", _("Licence of the descriptions"), choices.licences, default="CC0-1.0"),
            listed("geocoding", _("Keys of territory"), _("One in each line, e.g. municipalityKey/16053000.")),
            url("contributor", _("Id at GovData"), _("http://dcat-ap.de/def/contributors/…")),
        ),
        group(
            _("Whom to ask"),
            text("contact.name", _("Name of the contact")),
            email("contact.mail", _("E-mail address of the contact")),
            url("contact.page", _("Page of the contact")),
            text("contact.phone", _("Telephone of the contact"), _("With the country's code, +49 …")),
        ),
    ),
    "facts": (group(_("What is known of the city"), rows("", _("Facts"), _FACTS_HINT, *_FACTS, keyed="several")),),
    "geography": (
        group(
            _("Where the city lies"),
            numbers("center", _("Middle of the map"), _("Longitude, latitude in degrees."), required=True),
            number("zoom", _("Zoom of the map"), required=True),
            url("base_map", _("Style of a base map of others"), _("Empty: nothing leaves the house.")),
        ),
        group(
            _("Outlines"),
            file("boundary", _("Boundary of the city"), _("GeoJSON with outlines in EPSG:4326."), required=True),
            file("districts", _("Districts"), _("GeoJSON with outlines in EPSG:4326."), required=True),
            file("waters", _("Waters"), _("GeoJSON with outlines in EPSG:4326."), required=True),
            text("attribution", _("Whose outlines these are, and their licence"), required=True),
        ),
    ),
    "calendar": (
        group(
            _("Days on which the city lives otherwise"),
            text(
                "state",
                _("Federal state"),
                _("The second part of its code in ISO 3166-2, e.g. TH: its public holidays."),
            ),
            file(
                "school_holidays",
                _("School holidays"),
                _("CSV with the columns first, last and name; days as 2026-07-04."),
                suffix=".csv",
            ),
        ),
    ),
}
"""By the key of the table: each there is once."""

HARVEST = (
    group(
        _("What it is"),
        texts("title", _("Title"), required=True),
        yes("enabled", _("Switched on"), default=True),
        url("address", _("Address"), _("Of RDF, of the root of a CKAN, or of a hub's catalogue."), required=True),
        choice("kind", _("What speaks there"), choices.harvests),
        email("responsible", _("Responsible"), _("E-mail address of whoever is told of troubles.")),
    ),
    group(
        _("What is taken over"),
        listed("publishers", _("Only of these publishers"), _("One in each line. Empty: of all.")),
        many("themes", _("Only of these themes"), choices.terms(vocabulary.THEMES)),
        choice("licence", _("Licence of what states none"), choices.terms(vocabulary.LICENCES)),
        text("language", _("Language of texts that do not say theirs"), _("For example de.")),
    ),
    group(
        _("When, and with what care"),
        duration("interval", _("Ask every"), default="PT6H"),
        duration("complete", _("Ask a CKAN for all every"), default="P1D"),
        number("most_withdrawn", _("Share that may vanish at once"), _("From 0 to 1. If more do, none is withdrawn.")),
        lines("headers", _("Headers of requests"), _("A line each: X-Key = ${SOURCE_KEY}")),
    ),
)

POLICY = (
    group(
        _("What it is"),
        texts("title", _("Title"), required=True),
        url("page", _("Page where the terms stand in full")),
    ),
    group(
        _("What one owes"),
        yes("attribution", _("To name where the data are from"), default=True),
        yes("share_alike", _("To give on under the same terms what is made of them")),
    ),
    group(
        _("What one pays"),
        texts("compensate.purpose", _("For which use"), _("Empty: nobody pays. For example private profit.")),
        long_texts("compensate.terms", _("How much, or how it is found out")),
        url("compensate.page", _("Page where it is settled")),
    ),
)

FORECAST = (
    group(
        _("What it is"),
        texts("title", _("Title"), required=True),
        long_texts("description", _("Description")),
        yes("enabled", _("Switched on"), default=True),
    ),
    group(
        _("What is forecast"),
        choice(
            "dataset",
            _("Dataset"),
            choices.datasets,
            _("Of its streams. Whoever may read them may read the forecast, too."),
            required=True,
        ),
        listed("streams", _("Streams"), _("One id in each line. Or all streams of an observed property:")),
        listed("property", _("Observed properties"), _("One id in each line.")),
    ),
    group(
        _("How far, how finely, how often"),
        duration("horizon", _("How far it looks"), default="PT24H"),
        duration("step", _("A value every"), default="PT1H"),
        duration("every", _("A new forecast every"), default="PT1H"),
        duration("train", _("It learns anew every"), default="P1D"),
        duration("history", _("It learns from the last"), default="P365D"),
        number("interval", _("Share of the outcomes that the interval holds"), _("0.8 are four of five."), default=0.8),
    ),
    group(
        _("What may explain it"),
        rows(
            "inputs",
            _("Other streams"),
            _("For example the temperature. Empty a line to remove it."),
            text("key", _("Name")),
            text("observed", _("Stream that measures it")),
            text("forecast", _("Stream that forecasts it")),
            keyed=True,
        ),
    ),
)
