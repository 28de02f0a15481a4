"""Questions to begin with, for what there is to be asked."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Example(NamedTuple):
    """A question that runs where its tables are there."""

    title: Promise | str
    needs: frozenset[str]
    query: str
    chart: dict[str, str]


def _example(title: Promise | str, needs: str, query: str, **chart: str) -> Example:
    return Example(title, frozenset(needs.split()), query, chart)


EXAMPLES = (
    _example(
        _("What there is, and how much of it"),
        "observations",
        "SELECT dataset, property, unit, count(*) AS readings, min(time) AS first, max(time) AS newest\n"
        "FROM observations\nGROUP BY dataset, property, unit\nORDER BY readings DESC",
    ),
    _example(
        _("Free parking spaces on a Saturday, hour by hour"),
        "parking",
        "-- A car park is written down when its number changes, and as 0 while it is closed.\n"
        "SELECT hour(time) AS hour, round(avg(result)) AS free\nFROM parking\n"
        "WHERE isodow(time) = 6 AND thing = 'Goethe-Galerie' AND result > 0\nGROUP BY hour\nORDER BY hour",
        kind="line", x="hour", y="free",
    ),
    _example(
        _("How warm each month was"),
        "weather",
        "SELECT date_trunc('month', time) AS month, round(avg(result), 1) AS celsius\nFROM weather\n"
        "WHERE property_id = 'air-temperature'\nGROUP BY month\nORDER BY month",
        kind="line", x="month", y="celsius",
    ),
    _example(
        _("Car parks on wet and on dry hours"),
        "parking weather",
        "WITH rain AS (\n  SELECT date_trunc('hour', time) AS hour, sum(result) AS rain\n  FROM weather\n"
        "  WHERE property_id = 'precipitation'\n  GROUP BY hour\n), free AS (\n"
        "  SELECT date_trunc('hour', time) AS hour, thing, avg(result) AS free\n  FROM parking\n"
        "  WHERE result > 0\n"
        "  GROUP BY hour, thing\n)\n"
        "SELECT thing,\n  round(avg(free) FILTER (rain = 0)) AS free_when_dry,\n"
        "  round(avg(free) FILTER (rain > 0)) AS free_when_wet,\n  count(*) FILTER (rain > 0) AS wet_hours\n"
        "FROM free JOIN rain USING (hour)\nWHERE hour(hour) BETWEEN 9 AND 18\nGROUP BY thing\nORDER BY thing",
        kind="bar", x="thing", y="free_when_dry",
    ),
    _example(
        _("The commonest trees"),
        "trees",
        "SELECT genus, count(*) AS trees, round(avg(height), 1) AS mean_height\nFROM trees\n"
        "GROUP BY genus\nORDER BY trees DESC\nLIMIT 15",
        kind="bar", x="genus", y="trees",
    ),
    _example(
        _("When the trees were planted"),
        "trees",
        "SELECT planted // 10 * 10 AS decade, count(*) AS trees\nFROM trees\n"
        "WHERE planted BETWEEN 1800 AND 2029\nGROUP BY decade\nORDER BY decade",
        kind="bar", x="decade", y="trees",
    ),
    _example(_("Whose data these are, and as of when"), "datasets", "FROM datasets\nORDER BY dataset"),
)  # fmt: skip


def examples(tables: Iterable[str]) -> list[Example]:
    """Those that run with these tables."""
    known = set(tables)
    return [each for each in EXAMPLES if each.needs <= known]
