"""A table as a whole: what its rows are, and which column is what."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from allmende.domain.recognition import names
from allmende.domain.recognition.clocks import zone_of
from allmende.domain.recognition.columns import Facts, is_value, look
from allmende.domain.recognition.model import Column, ColumnPlan, Meaning, Plan, Recognition, Shape, Words
from allmende.domain.recognition.names import quantity_of
from allmende.domain.recognition.numbers import Style, style_of
from allmende.domain.recognition.places import Convert, Place, find_place
from allmende.domain.recognition.quantities import Quantity
from allmende.domain.recognition.units import bare_name, unit_of

_MANY = 6
"""Columns of numbers from which on those of an unknown quantity are left out, where others are known."""
_WIDE = 3
"""Columns of numbers without a known quantity from which on they are taken for sites."""


class Setting(NamedTuple):
    """What is known beside the table."""

    language: str
    zone: str
    centre: tuple[float, float] | None
    convert: Convert
    name: str
    """Of the file, without its ending."""
    units: Mapping[str, str] = {}
    """By column (UCUM), where a row of their own says them."""


class _Roles(NamedTuple):
    shape: Shape
    times: Sequence[Facts]
    key: Facts | None
    label: Facts | None
    place: Place | None
    geometry: Facts | None
    values: Sequence[Facts]
    reason: Words


def recognise_table(
    what: str, table: Mapping[str, Sequence[str]], base: Mapping[str, Any], setting: Setting
) -> Recognition:
    """What a table is. ``base`` are the settings that its form asks for already; all cells are stripped texts."""
    style = style_of(table.values())
    found = look({name: cells for name, cells in table.items() if name}, style)
    roles = _roles(found, setting)
    columns = tuple(_column(facts, roles, setting) for facts in found)
    settings = {**base, **_numbers(style, found), **_times(roles, setting)}
    if roles.place is not None and roles.place.crs != 4326:
        settings["crs"] = f"EPSG:{roles.place.crs}"
    plan = Plan(
        connector="table",
        shape=roles.shape,
        base=settings,
        thing="" if roles.key or roles.shape != "readings" else names.slug(setting.name, "site"),
        thing_name="" if roles.key or roles.shape != "readings" else setting.name,
        columns=_told_apart([_planned(column) for column in columns]),
        spare=[facts.name for facts in found if facts.unique],
        wide=_wide(roles, setting) if roles.shape == "wide" else None,
    )
    reasons = [roles.reason, style.reason] if any(facts.measured for facts in found) else [roles.reason]
    if roles.times and roles.times[0].times and roles.times[0].times.form and not _is_epoch(roles):
        reasons.append(_zone(roles, setting)[1])
    return Recognition(
        what=what,
        connector="table",
        confidence=0.9 if style.sure else 0.6,
        reasons=tuple(reason for reason in reasons if reason.text),
        warnings=tuple(_warnings(roles, found)),
        columns=columns,
        rows=max((len(facts.cells) for facts in found), default=0),
        plan=plan,
    )


def _roles(found: Sequence[Facts], setting: Setting) -> _Roles:
    place = find_place(
        {facts.name: facts.numbers for facts in found if facts.measured}, setting.convert, setting.centre
    )
    geometry = next((facts for facts in found if facts.shape), None)
    taken = {place.x, place.y} if place else set()
    values = [facts for facts in found if is_value(facts) and facts.name not in taken]
    times = _time_columns(found)
    key = _unique_key(found, taken)
    if times and not _is_objects(found, times, key, values, bool(place or geometry)):
        return _readings(found, times, values, place)
    reason = Words("No column is the time of a reading: every row is an object.")
    if times:
        reason = Words("Every row has an id and a place of its own: every row is an object.")
    return _Roles("objects", (), key, None, None if geometry else place, geometry, (), reason)


def _time_columns(found: Sequence[Facts]) -> list[Facts]:
    """The column of times, or a day's and a clock's beside each other."""
    said = [facts for facts in found if facts.kind == "time" and facts.empty < 0.5]
    ended = {
        facts.name for facts in said if names.words_of(facts.name).split()[-1:] in (["bis"], ["ende"], ["end"], ["to"])
    }
    said = [facts for facts in said if facts.name not in ended] or said
    said.sort(key=lambda facts: (names.is_past(facts.name), facts.empty > 0.1))
    if not said:
        return []
    first = said[0]
    if first.times is not None and first.times.day_only:
        clock = next((facts for facts in found if facts.kind == "clock" and facts.empty < 0.5), None)
        if clock is not None:
            return [first, clock]
    return [first]


def _unique_key(found: Sequence[Facts], taken: set[str]) -> Facts | None:
    """The column by which rows can be told apart, an id by its name first."""
    fit = [
        facts
        for facts in found
        if facts.unique and facts.name not in taken and facts.kind in ("text", "count") and not facts.shape
    ]
    fit.sort(key=lambda facts: (not names.is_id(facts.name), not names.is_name(facts.name)))
    return fit[0] if fit else None


def _is_objects(
    found: Sequence[Facts], times: Sequence[Facts], key: Facts | None, values: Sequence[Facts], placed: bool
) -> bool:
    if key is None or len(key.cells) < 2 or key.name in {facts.name for facts in times}:
        return False
    if names.is_past(times[0].name):
        return True
    changing = [facts for facts in values if (quantity := quantity_of(facts.name)) and quantity.changing]
    return placed and not changing


def _readings(found: Sequence[Facts], times: Sequence[Facts], values: Sequence[Facts], place: Place | None) -> _Roles:
    used = {facts.name for facts in times}
    stamps = list(zip(*(facts.cells for facts in times), strict=True))
    rest = [
        facts for facts in found if facts.name not in used and facts.kind in ("text", "count") and facts.empty < 0.01
    ]
    rest = [
        facts
        for facts in rest
        if not facts.shape and (facts.kind == "text" or names.is_id(facts.name) or names.is_name(facts.name))
    ]
    rest.sort(key=lambda facts: (not names.is_id(facts.name), not names.is_name(facts.name)))
    apart = len(set(stamps)) == len(stamps)
    fit = [facts for facts in rest if len(set(zip(stamps, facts.cells, strict=True))) == len(stamps)]
    candidates = [facts for facts in (fit or rest) if not apart or names.is_id(facts.name) or names.is_name(facts.name)]
    key = candidates[0] if candidates else None
    label = next(
        (facts for facts in rest if key and facts is not key and names.is_name(facts.name) and names.is_id(key.name)),
        None,
    )
    values = [facts for facts in values if facts not in (key, label)]
    unknown = [facts for facts in values if quantity_of(facts.name) is None and not unit_of(facts.name)[0]]
    if key is None and len(values) >= _WIDE and len(unknown) > 0.7 * len(values):
        reason = Words("Each of %(count)s columns of numbers seems to be a site of its own.", {"count": len(values)})
        return _Roles("wide", times, None, None, None, None, values, reason)
    if not values:  # words are readings too
        left = [facts for facts in found if facts.name not in used and facts not in (key, label)]
        values = [facts for facts in left if facts.kind in ("text", "truth") and not facts.shape][:1]
    known = [facts for facts in values if quantity_of(facts.name) is not None or unit_of(facts.name)[0]]
    if known and len(values) > _MANY:
        values = known
    reason = Words("Every row is a reading at a time.")
    return _Roles("readings", times, key, label, place if key else None, None, values, reason)


def _column(facts: Facts, roles: _Roles, setting: Setting) -> Column:
    meaning, reason, confidence = _meaning(facts, roles)
    quantity = quantity_of(facts.name)
    unit, why = unit_of(facts.name)
    if facts.name in setting.units:
        unit, why = setting.units[facts.name], Words("A row under the names says it.")
    if not unit and quantity is not None and facts.measured:
        unit, why = (
            quantity.unit,
            Words("Usual for %(quantity)s.", {"quantity": quantity.de if setting.language == "de" else quantity.en}),
        )
    bare = bare_name(facts.name)
    return Column(
        name=facts.name,
        kind=facts.kind,
        empty=round(facts.empty, 4),
        examples=facts.examples,
        distinct=facts.distinct,
        meaning=meaning,
        reason=reason,
        confidence=confidence,
        form=facts.times.form if facts.times else "",
        property=quantity.id if quantity else names.slug(bare),
        title=_title(quantity, bare, setting.language),
        unit=unit if facts.measured else "",
        unit_reason=why if facts.measured else Words(""),
    )


def _title(quantity: Quantity | None, bare: str, language: str) -> str:
    if quantity is None:
        return bare
    return quantity.de if language == "de" else quantity.en


def _meaning(facts: Facts, roles: _Roles) -> tuple[Meaning, Words, float]:
    if facts in roles.times and facts.times is not None:
        return "time", facts.times.reason, 0.95 if facts.times.sure else 0.6
    if facts is roles.key:
        if roles.shape == "objects":
            return "id", Words("Every row has another one."), 0.95 if names.is_id(facts.name) else 0.6
        said = names.is_id(facts.name) or names.is_name(facts.name)
        text = "The name says what is measured." if said else "With the time it tells every row from the others."
        return "id", Words(text), 0.9 if said else 0.6
    if facts is roles.label:
        return "name", Words("The name says so."), 0.8
    if roles.place is not None and facts.name in (roles.place.x, roles.place.y):
        return ("x" if facts.name == roles.place.x else "y"), roles.place.reason, roles.place.confidence
    if facts is roles.geometry:
        return "shape", Words("Shapes as text (WKT)."), 0.95
    if facts in roles.values:
        known = quantity_of(facts.name) is not None or bool(unit_of(facts.name)[0])
        if not facts.measured:
            return "value", Words("Words that change with the time."), 0.4
        return "value", Words("Numbers; the name is known." if known else "Numbers."), 0.9 if known else 0.6
    if facts.kind == "empty":
        return "leave", Words("It is empty."), 0.95
    if roles.shape == "objects":
        return "attribute", Words("A property of the object."), 0.7
    if names.is_status(facts.name):
        return "leave", Words("It tells of the quality of another column."), 0.6
    return "leave", Words("Nothing of it is a reading."), 0.5


def _planned(column: Column) -> ColumnPlan:
    kind: Any = "measurement"
    if column.kind in ("text", "truth"):
        kind = "category"
    elif column.kind == "count" and column.unit in ("", "1", "{space}", "{vehicle}", "{person}"):
        kind = "count"
    title = column.title if column.meaning == "value" else column.name
    return ColumnPlan(
        column=column.name,
        meaning=column.meaning,
        property=column.property,
        title=title,
        unit=column.unit or "1",
        kind=kind,
    )


def _told_apart(columns: list[ColumnPlan]) -> list[ColumnPlan]:
    """Where two columns would be one property, the later ones are called by their own names."""
    taken: set[str] = set()
    for column in columns:
        if column.meaning != "value":
            continue
        if column.property in taken:
            column.property, column.title = names.slug(column.column), column.column
        number = 2
        while column.property in taken:
            column.property, number = f"{names.slug(column.column)}-{number}", number + 1
        taken.add(column.property)
    return columns


def _wide(roles: _Roles, setting: Setting) -> ColumnPlan:
    whole = all(facts.kind == "count" for facts in roles.values)
    title = (
        ("Anzahl" if setting.language == "de" else "Count")
        if whole
        else ("Messwert" if setting.language == "de" else "Value")
    )
    units = {unit_of(facts.name)[0] for facts in roles.values}
    unit = units.pop() if len(units) == 1 else ""
    return ColumnPlan(
        column="",
        meaning="value",
        property="count" if whole else "value",
        title=title,
        unit=unit or "1",
        kind="count" if whole else "measurement",
    )


def _numbers(style: Style, found: Sequence[Facts]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if style.decimal == ",":
        said["decimal"] = ","
    if style.thousands:
        said["thousands"] = style.thousands
    missing = sorted({word for facts in found for word in facts.missing})
    return said | ({"missing": missing} if missing else {})


def _times(roles: _Roles, setting: Setting) -> dict[str, Any]:
    forms = [facts.times.form for facts in roles.times if facts.times is not None]
    form = " ".join(form for form in forms if form)
    if not form:
        return {}
    zone, _ = _zone(roles, setting)
    return {"time_forms": [form]} | ({"zone": zone} if zone != setting.zone and not _is_epoch(roles) else {})


def _is_epoch(roles: _Roles) -> bool:
    return bool(roles.times and roles.times[0].times and roles.times[0].times.form.startswith("epoch"))


def _zone(roles: _Roles, setting: Setting) -> tuple[str, Words]:
    forms = " ".join(facts.times.form for facts in roles.times if facts.times is not None)
    cells = [" ".join(parts) for parts in zip(*(facts.cells for facts in roles.times), strict=True)]
    return zone_of(" ".join(facts.name for facts in roles.times), cells, forms, setting.zone)


def _warnings(roles: _Roles, found: Sequence[Facts]) -> list[Words]:
    told: list[Words] = []
    if roles.place is not None and roles.place.swapped:
        told.append(roles.place.reason)
    if roles.shape == "objects" and roles.key is None:
        told.append(Words("No column tells every row from the others; choose one as the id, or add one to the file."))
    if roles.shape == "readings" and not roles.values:
        told.append(Words("No column holds readings."))
    if roles.shape == "readings" and roles.times:
        stamps = zip(*(facts.cells for facts in [*roles.times, *([roles.key] if roles.key else [])]), strict=True)
        said = list(stamps)
        if len(set(said)) < len(said):
            text = "%(count)s rows have the same time and thing as another: of each time only one value is kept."
            told.append(Words(text, {"count": len(said) - len(set(said))}))
    return told
