"""The office's forms of alerts and of the ways on which they are told."""

from django.utils.translation import gettext_lazy as _

from allmende.web.office import choices
from allmende.web.office.fields import (
    choice,
    duration,
    group,
    lines,
    listed,
    long_texts,
    many,
    number,
    rows,
    text,
    texts,
    url,
    value,
    yes,
)

ALERT = (
    group(
        _("What it is"),
        texts("title", _("Title"), required=True),
        text("title.plain", _("Title in plain German")),
        long_texts("description", _("What it means")),
        long_texts("advice", _("What one should do")),
        choice("severity", _("How severe"), choices.severities, default="moderate"),
        choice("category", _("Category"), choices.categories, default="Infra"),
        choice("dataset", _("Dataset"), choices.datasets, _("Who may read it may see the alert."), required=True),
        yes("public", _("Everybody is told"), _("Of data that are not open nobody is told who may not read them.")),
        yes("enabled", _("Switched on"), default=True),
    ),
    group(
        _("What is watched"),
        lines(
            "inputs",
            _("Inputs"),
            _('A line each, as rules choose streams: level = {"property": "water-level", "unit": "cm"}'),
        ),
        text(
            "by", _("An alert each for"), _("stream, thing, all, or the name of a table of groups."), default="stream"
        ),
        lines("parameters", _("Figures"), _("A line each: limit = 150")),
        lines("steps", _("Steps"), _("A line each: name = an expression in quotes.")),
    ),
    group(
        _("When"),
        text(
            "raise",
            _("It is raised when"),
            _(
                "An expression of rules, e.g. level > limit. Besides: minutes_since(level), per_hour(level), "
                "deviation(level), usual(level), highest_ahead(level), lowest_ahead(level)."
            ),
            required=True,
        ),
        duration("for", _("and that has held for")),
        text("clear", _("It is over when"), _("Empty: when what raises it is false.")),
        duration("clear_for", _("and that has held for")),
        duration("lapse", _("It ends by itself when nothing has been known for"), default="P1D"),
        duration("late", _("Readings that come later than this tell only of now"), default="PT1H"),
        duration("window", _("How far back per_hour() looks")),
        duration("horizon", _("How far ahead forecasts are looked at")),
        number("weeks", _("Of how many weeks it is known what is usual"), default=8),
        number("least_weeks", _("In how many of them there have to be readings"), default=4),
    ),
    group(
        _("Whom it is told"),
        many("tell", _("At once"), choices.channels),
        rows(
            "escalate",
            _("If nobody acknowledges it"),
            _('Names of ways as a list: ["duty"]. Empty a line to remove it.'),
            duration("after", _("After"), required=True),
            value("tell", _("Then tell"), required=True),
        ),
    ),
    group(
        _("Closed data"),
        lines("opens", _("Closed datasets that it reads"), _("A line each: dataset = why what it says may be told.")),
    ),
)

CHANNEL = (
    group(
        _("What it is"),
        texts("title", _("Title")),
        choice("kind", _("Kind"), choices.channel_kinds, required=True),
        yes("enabled", _("Switched on"), default=True),
        text("language", _("Language"), _("Empty: the city's first.")),
    ),
    group(
        _("Where it leads"),
        listed("to", _("E-mail addresses"), _("One in each line. For mail alone.")),
        url("address", _("Address"), _("Of the webhook, or of the home server of Matrix.")),
        text("room", _("Chat room"), _("Of Matrix, e.g. !abc:city.example.")),
        text(
            "secret", _("Where its secret lies"), _("The name of an environment variable: ALERT_KEY. Never the secret.")
        ),
    ),
    group(
        _("Quiet hours"),
        text("quiet.from", _("From"), _("Time of day in the city's zone, e.g. 22:00. Empty: none.")),
        text("quiet.to", _("To")),
        choice("quiet.unless", _("Told all the same from"), choices.severities, default="severe"),
    ),
)
