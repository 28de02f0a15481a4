"""What somebody changed of a plan in the form, and what the form shows of one."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.http import QueryDict

from allmende.connectors.geodesy import epsg
from allmende.connectors.moments import zone_of
from allmende.domain.errors import InvalidInput
from allmende.domain.framing import HEAD_LINES
from allmende.domain.recognition.model import MEANINGS, Column, ColumnPlan, Plan, Recognition
from allmende.domain.recognition.names import slug
from allmende.domain.recognition.units import as_ucum

SHOWN = 150
"""Columns that can be changed on the page; those behind them stay as they were recognised."""
_TEXTS = ("separator", "encoding", "decimal", "thousands", "zone", "crs")
_LENGTH = 300


class Row(NamedTuple):
    """A column on the page: what was found, and what is planned."""

    number: int
    found: Column
    plan: ColumnPlan


def rows_of(known: Recognition, plan: Plan) -> list[Row]:
    """The columns that can be changed."""
    found = {column.name: column for column in known.columns}
    return [Row(n, found[each.column], each) for n, each in enumerate(plan.columns[:SHOWN]) if each.column in found]


def changed(plan: Plan, said: QueryDict) -> None:
    """Take over what the form says. Raises InvalidInput; what came before the mistake is taken over then."""
    if plan.connector == "table":
        _take_base(plan, said)
        shape = said.get("shape", plan.shape)
        if shape != plan.shape and shape in ("readings", "wide", "objects"):
            _reshape(plan, shape)
            return  # the fields are those of the shape before
    for number, column in enumerate(plan.columns[:SHOWN]):
        _take_column(plan, column, number, said)
    if plan.shape == "wide" and plan.wide is not None:
        _take_quantity(plan.wide, "wide", said)
    plan.thing = said.get("thing", plan.thing).strip()[:100]
    plan.thing_name = said.get("thing_name", plan.thing_name).strip()[:_LENGTH]


def _take_column(plan: Plan, column: ColumnPlan, number: int, said: QueryDict) -> None:
    meaning = said.get(f"meaning-{number}", column.meaning)
    if meaning not in MEANINGS[plan.shape]:
        raise InvalidInput(f"{column.column}: {meaning[:40]!r} is none of the meanings")
    column.meaning = meaning  # type: ignore[assignment]  # it is one of them
    if plan.shape != "wide":
        _take_quantity(column, str(number), said)


def _take_quantity(column: ColumnPlan, name: str, said: QueryDict) -> None:
    column.title = said.get(f"title-{name}", column.title).strip()[:_LENGTH]
    column.property = slug(said.get(f"property-{name}", column.property)) or column.property
    written = said.get(f"unit-{name}", column.unit).strip()[:40] or "1"
    column.unit = as_ucum(written) or written
    kind = said.get(f"kind-{name}", column.kind)
    if kind in ("measurement", "count", "category"):
        column.kind = kind


def _take_base(plan: Plan, said: QueryDict) -> None:
    for name in _TEXTS:
        if name in said:
            _put(plan.base, name, said[name] if name in ("separator", "thousands") else said[name].strip())
    if "crs" in plan.base:
        plan.base["crs"] = f"EPSG:{epsg(plan.base['crs'])}"
    if "zone" in plan.base:
        zone_of(plan.base["zone"])
    if plan.base.get("separator") == "\\t":
        plan.base["separator"] = "\t"
    for name in ("missing", "time_forms"):
        if name in said:
            _put(plan.base, name, [part.strip() for part in said[name].splitlines() if part.strip()])
    if "head" in said:
        text = said["head"].strip()
        if not (text.isascii() and text.isdigit() and int(text) <= HEAD_LINES):
            raise InvalidInput(f"lines above the first row: {text[:20]!r} is no number up to {HEAD_LINES}")
        plan.base["head"] = int(text)


def _put(base: dict[str, Any], name: str, value: Any) -> None:
    if value:
        base[name] = value
    else:
        base.pop(name, None)


def _reshape(plan: Plan, shape: Any) -> None:
    """The same columns in another shape: each keeps what it can."""
    other = {"attribute": "value", "value": "attribute"}
    plan.shape = shape
    for column in plan.columns:
        if column.meaning in MEANINGS[plan.shape]:
            continue
        turned = other.get(column.meaning, "leave")
        kept = turned in MEANINGS[plan.shape] and (turned == "attribute" or column.kind != "category")
        column.meaning = turned if kept else "leave"  # type: ignore[assignment]  # one of the meanings
    if shape == "wide" and plan.wide is None:
        plan.wide = ColumnPlan(column="", meaning="value", property="value", title="Messwert")
    if shape == "readings" and not plan.thing:
        plan.thing = "site"


def shown_base(plan: Plan) -> Mapping[str, Any]:
    """How the file is read, for the fields of the form."""
    base = plan.base
    return {
        **{name: base.get(name, "") for name in _TEXTS},
        "separator": {"\t": "\\t"}.get(base.get("separator", ""), base.get("separator", "")),
        "encoding": base.get("encoding", "utf-8"),
        "decimal": base.get("decimal", "."),
        "crs": base.get("crs", "EPSG:4326"),
        "head": base.get("head", 1),
        "missing": "\n".join(base.get("missing", ())),
        "time_forms": "\n".join(base.get("time_forms", ())),
    }
