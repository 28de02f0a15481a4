"""Questions to begin with, for what there is to be asked."""

from collections.abc import Iterable

from django.apps import apps
from django.utils.translation import gettext_lazy as _

from allmende.city.questions import Example, example

EXAMPLES = (
    example(
        _("What there is, and how much of it"),
        "observations",
        "SELECT dataset, property, unit, count(*) AS readings, min(time) AS first, max(time) AS newest\n"
        "FROM observations\nGROUP BY dataset, property, unit\nORDER BY readings DESC",
    ),
    example(
        _("How warm each month was"),
        "weather",
        "SELECT date_trunc('month', time) AS month, round(avg(result), 1) AS celsius\nFROM weather\n"
        "WHERE property_id = 'air-temperature'\nGROUP BY month\nORDER BY month",
        kind="line", x="month", y="celsius",
    ),
    example(
        _("The commonest trees"),
        "trees",
        "SELECT genus, count(*) AS trees, round(avg(height), 1) AS mean_height\nFROM trees\n"
        "GROUP BY genus\nORDER BY trees DESC\nLIMIT 15",
        kind="bar", x="genus", y="trees",
    ),
    example(
        _("When the trees were planted"),
        "trees",
        "SELECT planted // 10 * 10 AS decade, count(*) AS trees\nFROM trees\n"
        "WHERE planted BETWEEN 1800 AND 2029\nGROUP BY decade\nORDER BY decade",
        kind="bar", x="decade", y="trees",
    ),
    example(_("Whose data these are, and as of when"), "datasets", "FROM datasets\nORDER BY dataset"),
)  # fmt: skip


def every() -> tuple[Example, ...]:
    """The house's own, and those that applications say."""
    added = (one for config in apps.get_app_configs() for one in getattr(config, "questions", ()))
    return (*EXAMPLES, *added)


def examples(tables: Iterable[str]) -> list[Example]:
    """Those that run with these tables; the house's own, and those of services."""
    known = set(tables)
    return [each for each in every() if each.needs <= known]
