"""What can be asked of car parks in SQL."""

from django.utils.translation import gettext_lazy as _

from allmende.city.questions import example

QUESTIONS = (
    example(
        _("Free parking spaces on a Saturday, hour by hour"),
        "parking",
        "-- A car park is written down when its number changes, and as 0 while it is closed.\n"
        "SELECT hour(time) AS hour, round(avg(result)) AS free\nFROM parking\n"
        "WHERE isodow(time) = 6 AND thing = 'Goethe-Galerie' AND result > 0\nGROUP BY hour\nORDER BY hour",
        kind="line", x="hour", y="free",
    ),
    example(
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
)  # fmt: skip
