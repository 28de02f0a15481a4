"""The functions of filters in PostgreSQL's words. They mean what the functions of ``functions_sqlite.py`` mean.

Nothing here may raise: PostgreSQL answers a division by zero, or a number beyond the range, with an error for the
whole statement, so that one odd reading would spoil every answer. Hence the guards; what they turn away is null.
"""

from collections.abc import Mapping
from types import MappingProxyType

from allmende.domain import times
from allmende.storage import zones_postgres
from allmende.storage.geometry import RELATIONS

_SPAN = times.LATEST - times.EARLIEST


def _let(body: str, names: str) -> str:
    """A body that uses its arguments several times. OFFSET keeps the planner from writing them out each time."""
    columns = ", ".join(f"{{{place}}} AS {name}" for place, name in enumerate(names))
    return f"(SELECT {body} FROM (SELECT {columns} OFFSET 0) x)"


_NULL = "CASE WHEN x.a IS NULL OR x.b IS NULL THEN NULL"
_SIZES = "log(abs(x.a)) {} log(abs(x.b)) BETWEEN -300 AND 300"
_DIVIDES = f"WHEN x.b = 0 THEN NULL WHEN x.a = 0 THEN 0 WHEN {_SIZES.format('-')}"
_SMALL = "abs(x.a) < 1e300 AND abs(x.b) < 1e300"
_IN_DAY = f"((x.a % {times.DAY} + {times.DAY}) % {times.DAY})"
_DATE = f"(date '1970-01-01' + CAST((x.a - {_IN_DAY}) / {times.DAY} AS integer))"


_GEOJSON = "CASE x.j ->> 'type' WHEN 'Feature' THEN x.j -> 'geometry' ELSE x.j END"
_COMPARABLE = "ST_GeometryType(y.g) <> 'ST_GeometryCollection' AND ST_IsValid(y.g)"


def _number(body: str) -> str:
    return _let(f"CAST({body} AS double precision)", "a")


TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "real": _number("CASE WHEN x.a = 0 THEN 0 WHEN abs(x.a) BETWEEN 1e-300 AND 1e300 THEN x.a END"),
        "add": _let(f"CASE WHEN {_SMALL} THEN x.a + x.b END", "ab"),
        "sub": _let(f"CASE WHEN {_SMALL} THEN x.a - x.b END", "ab"),
        "mul": _let(f"{_NULL} WHEN x.a = 0 OR x.b = 0 THEN 0 WHEN {_SIZES.format('+')} THEN x.a * x.b END", "ab"),
        "div": _let(f"{_NULL} {_DIVIDES} THEN x.a / x.b END", "ab"),
        "mod": _let(f"{_NULL} {_DIVIDES} THEN x.a - x.b * trunc(x.a / x.b) END", "ab"),
        "negate": "(-({0}))",
        "round": _let("sign(x.a) * floor(abs(x.a) + 0.5)", "a"),
        "floor": "floor({0})",
        "ceiling": "ceil({0})",
        "contains": "(strpos({0}, {1}) > 0)",
        "startswith": "starts_with({0}, {1})",
        "endswith": "starts_with(reverse({0}), reverse({1}))",
        "length": "CAST(char_length({0}) AS double precision)",
        "indexof": "CAST(strpos({0}, {1}) - 1 AS double precision)",
        # greatest() and least() pass over null.
        "substring": _let(
            "CASE WHEN x.b IS NOT NULL AND x.c IS NOT NULL THEN substr(x.a,"
            " CAST(least(greatest(floor(x.b), 0), 1e6) AS integer) + 1,"
            " CAST(least(greatest(floor(x.c), 0), 1e6) AS integer)) END",
            "abc",
        ),
        # The binary collation knows no letters beyond ASCII.
        "tolower": '(lower(({0}) COLLATE "und-x-icu") COLLATE "C")',
        "toupper": '(upper(({0}) COLLATE "und-x-icu") COLLATE "C")',
        "trim": r"btrim({0}, E' \t\n\r\f\x0b')",
        "concat": "({0} || {1})",
        "year": _number(f"extract(year FROM {_DATE})"),
        "month": _number(f"extract(month FROM {_DATE})"),
        "day": _number(f"extract(day FROM {_DATE})"),
        "hour": _number(f"{_IN_DAY} / {times.HOUR}"),
        "minute": _number(f"{_IN_DAY} % {times.HOUR} / {times.MINUTE}"),
        "second": _number(f"{_IN_DAY} % {times.MINUTE} / {times.SECOND}"),
        "fractionalseconds": _let(f"CAST({_IN_DAY} % {times.SECOND} AS double precision) / {times.SECOND}", "a"),
        "date": _let(f"x.a - {_IN_DAY}", "a"),
        "time": _let(_IN_DAY, "a"),
        "shift": _let(f"CASE WHEN x.a + x.b BETWEEN {times.EARLIEST} AND {times.LATEST} THEN x.a + x.b END", "ab"),
        "longer": _let(f"CASE WHEN abs(x.a + x.b) <= {_SPAN} THEN x.a + x.b END", "ab"),
        "micros": _let(
            f"CASE WHEN abs(x.a) <= {_SPAN} THEN CAST(sign(x.a) * floor(abs(x.a) + 0.5) AS bigint) END", "a"
        ),
        "gap": "({0} - {1})",
        "bucket": zones_postgres.FIXED,
        "months": zones_postgres.MONTHS,
        "percentile": "percentile_cont({0}) WITHIN GROUP (ORDER BY {1})",
        # PostGIS, where it is installed: see PostgresEngine.translate.
        "geojson": (
            f"(SELECT CASE WHEN {_COMPARABLE} THEN y.g END"
            f" FROM (SELECT ST_SetSRID(ST_Force2D(ST_GeomFromGeoJSON({_GEOJSON})), 4326) AS g"
            " FROM (SELECT CAST({0} AS jsonb) AS j OFFSET 0) x OFFSET 0) y)"
        ),
        "wkt": "ST_GeomFromText({0}, 4326)",
        **{f"st_{name}": f"ST_{name.title()}({{0}}, {{1}})" for name in (*RELATIONS, "distance")},
        "st_relate": "ST_Relate({0}, {1}, {2})",
        "st_length": "ST_Length({0})",
        "totaloffsetminutes": "CAST({0} * 0 AS double precision)",
    }
)
"""How a function is written, its arguments as ``{0}``, ``{1}``, …, each once and in this order."""
