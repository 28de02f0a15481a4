"""From a plan to the settings of a source, and what is wrong with a plan."""

from typing import Any

from allmende.domain.errors import InvalidInput
from allmende.domain.recognition.model import OWN_ID, ColumnPlan, Meaning, Plan, Words
from allmende.domain.recognition.names import slug
from allmende.domain.recognition.units import UNCONVERTED
from allmende.domain.units import read_unit


class Unfit(InvalidInput):
    """A plan that cannot be; ``words`` can be said in other languages."""

    def __init__(self, words: Words) -> None:
        super().__init__(str(words))
        self.words = words


def settings_of(plan: Plan) -> dict[str, Any]:
    """The settings of the plan's connector. Raises Unfit for a plan that cannot be."""
    if plan.connector == "table":
        return {**plan.base, **(_objects(plan) if plan.shape == "objects" else _readings(plan))}
    if plan.connector in ("geofile", "ogc_features"):
        return {**plan.base, **_features(plan)}
    return dict(plan.base)


def _readings(plan: Plan) -> dict[str, Any]:
    times = _named(plan, "time")
    if not times:
        raise Unfit(Words("No column is the time."))
    said: dict[str, Any] = {"time": times[0] if len(times) == 1 else times}
    chosen = [column for column in plan.columns if column.meaning == "value"]
    if not chosen:
        raise Unfit(Words("No column holds readings."))
    if plan.shape == "wide":
        if plan.wide is None:
            raise Unfit(Words("A wide table says what all of its cells are."))
        name = slug(plan.wide.property)
        columns = [column.column for column in chosen]
        return {**said, "wide": name, "columns": columns, "properties": {name: _quantity(plan.wide)}}
    key = _one(plan, "id")
    said |= {"thing_column": key} if key else {"thing": slug(plan.thing, "site")}
    if not key and plan.thing_name.strip():
        said["thing_name"] = plan.thing_name.strip()
    if label := _one(plan, "name"):
        said["name_column"] = label
    said |= _place(plan)
    names = [slug(column.property) for column in chosen]
    if twice := {name for name in names if names.count(name) > 1}:
        raise Unfit(Words("Two columns are the same property: %(names)s.", {"names": ", ".join(sorted(twice))}))
    said["values"] = {column.column: name for column, name in zip(chosen, names, strict=True)}
    said["properties"] = {name: _quantity(column) for column, name in zip(chosen, names, strict=True)}
    return said


def _objects(plan: Plan) -> dict[str, Any]:
    key = _one(plan, "id")
    if not key:
        raise Unfit(Words("No column is the id of the object."))
    said: dict[str, Any] = {"id": key, **_place(plan)}
    if shape := _one(plan, "shape"):
        if "x" in said:
            raise Unfit(Words("A place is two columns, x and y, or one with a shape, not both."))
        said["wkt"] = shape
    kept = {
        column.column: column.title.strip() or column.column for column in plan.columns if column.meaning == "attribute"
    }
    if len(set(kept.values())) < len(kept):
        raise Unfit(Words("Two columns have the same name."))
    # no column at all would mean all of them
    said["attributes"] = kept or {key: key}
    return said


def _features(plan: Plan) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if key := _one(plan, "id"):
        said["id"] = "id" if key == OWN_ID else f"properties.{key}"
    for meaning in ("valid_from", "valid_to"):
        if name := _one(plan, meaning):
            said[meaning] = f"properties.{name}"
    left = [column.column for column in plan.columns if column.meaning == "leave"]
    return said | ({"drop": left} if left else {})


def _place(plan: Plan) -> dict[str, Any]:
    x, y = _one(plan, "x"), _one(plan, "y")
    if bool(x) != bool(y):
        raise Unfit(Words("A place is two columns, x and y; one of them is missing."))
    return {"x": x, "y": y} if x else {}


def _quantity(column: ColumnPlan) -> dict[str, Any]:
    unit = column.unit.strip() or "1"
    if column.kind == "category":
        return {"name": column.title.strip() or column.property, "type": "category"}
    if unit not in UNCONVERTED:
        try:
            read_unit(unit)
        except InvalidInput:
            text = "%(unit)s is no unit that is known here; UCUM writes them as kPa, Cel, km/h, %%, ug/m3."
            raise Unfit(Words(text, {"unit": unit})) from None
    kind = {"type": "count"} if column.kind == "count" else {}
    return {"name": column.title.strip() or column.property, "unit": unit, **kind}


def _named(plan: Plan, meaning: Meaning) -> list[str]:
    return [column.column for column in plan.columns if column.meaning == meaning]


def _one(plan: Plan, meaning: Meaning) -> str:
    found = _named(plan, meaning)
    if len(found) > 1:
        raise Unfit(Words("Two columns are meant to be the same: %(names)s.", {"names": ", ".join(found)[:200]}))
    return found[0] if found else ""
