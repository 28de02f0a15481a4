"""Sites of a list, with their facts, and their counts where it has any."""

import re
from collections.abc import Mapping
from typing import Any

from allmende.connectors import parking
from allmende.connectors.columns import number_of
from allmende.connectors.gathering import Gathered, Refused, identity, position, refuse_all, shown, text
from allmende.connectors.moments import moment
from allmende.connectors.parking_list import hours
from allmende.connectors.parking_list.rows import Row, place_of, rows_of
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.ids import normalise
from allmende.domain.records import Declaration, Parsed, Position, SensorDeclaration, ThingDeclaration

_LONGEST = 4096
_MOST = 1_000_000
_BRACKETED = re.compile(r"\s*\(([0-9]{1,4})\)\Z", re.ASCII)


def parse(payload: Payload, source: Source) -> Parsed:
    """Every site of the list; a rejection for each entry without an id or a place that can be read, and each count."""
    try:
        rows, code = rows_of(payload, source.settings)
        reader = _Reader(source, code, payload.received_at)
        for row in rows:
            reader.read(row)
    except InvalidInput as error:
        return refuse_all(payload, "unreadable", str(error))
    return reader.gathered.parsed()


class _Reader:
    def __init__(self, source: Source, code: int, received_at: int) -> None:
        self.gathered = Gathered()
        self._source, self._code, self._now = source, code, received_at
        said = source.settings
        self._prefix = str(said.get("prefix") or source.id)
        self._missing = {str(word) for word in said.get("missing") or ()}
        self._columns: Mapping[str, str] = {key: value for key, value in said.items() if isinstance(value, str)}
        self._sensor = SensorDeclaration(id=f"{self._prefix}-list", name="Parking list")

    def read(self, row: Row) -> None:
        """One entry: a site, and its counts."""
        try:
            if row.problem:
                raise Refused("bad-row", row.problem)
            if not self._is_meant(row):
                return
            thing = self._thing(row)
        except Refused as refused:
            self.gathered.refuse(refused, row.body, row.where)
            return
        if self._columns.get("taken"):
            self._bay(row, thing)
        else:
            self._counts(row, thing)

    def _is_meant(self, row: Row) -> bool:
        only, without = self._table("only"), self._table("without")
        if any(row.cells.get(column, "") in words for column, words in without.items()):
            return False
        return all(row.cells.get(column, "") in words for column, words in only.items())

    def _table(self, name: str) -> Mapping[str, Any]:
        found = self._source.settings.get(name)
        return found if isinstance(found, dict) else {}

    def _cell(self, row: Row, column: str) -> str:
        found = row.cells.get(column, "")
        return "" if found in self._missing else found

    def _said(self, row: Row, key: str) -> str:
        return self._cell(row, self._columns.get(key, ""))

    def _thing(self, row: Row) -> ThingDeclaration:
        columns = self._source.settings.get("id") or ()
        parts = [self._cell(row, column) for column in ([columns] if isinstance(columns, str) else columns)]
        key = identity("-".join(filter(None, parts)), "the id")
        try:
            name_id = normalise(f"{self._prefix}-{key}")
        except InvalidInput as error:
            raise Refused("no-identity", str(error)) from None
        own = self._table("places").get(key)
        known = self._source.things.get(own) if isinstance(own, str) else None
        place, outline = self._place(row)
        facts = self._facts(row)
        name = text(self._said(row, "name"))
        if self._table("bracketed"):
            name = name if (found := _BRACKETED.search(name)) is None else name[: found.start()]
        parent = self._said(row, "parent")
        return ThingDeclaration(
            id=known.id if known else name_id,
            name=known.name if known else (name[:200] or key),
            description=known.description if known else "",
            properties={
                "kind": known.kind if known else self._kind(row),
                "reference": key,
                **(parking.thing_properties(known) if known else {}),
                **({"parent": f"{self._prefix}-{parent}"} if parent else {}),
                **({"outline": outline} if outline else {}),
                **({"described": facts} if facts else {}),
            },
            position=(parking.position(known) if known else None) or place,
        )

    def _kind(self, row: Row) -> str:
        usual = self._columns.get("kind", "car-park")
        words = self._table("words").get("kind")
        return str(words.get(self._said(row, "kind_from"), usual)) if isinstance(words, dict) else usual

    def _place(self, row: Row) -> tuple[Position | None, dict[str, Any] | None]:
        if row.geometry is not None:
            try:
                lon, lat, outline = place_of(row.geometry, self._code)
            except InvalidInput as error:
                raise Refused("bad-place", str(error)) from None
            return Position(lon, lat), outline
        return position(self._said(row, "lon"), self._said(row, "lat")), None

    def _facts(self, row: Row) -> dict[str, Any]:
        """What the list says, in the agreed names; what cannot be read is noted where it is looked at."""
        found = dict(self._table("all"))
        words = self._table("words")
        for name, column in self._table("facts").items():
            said = self._cell(row, column)[:_LONGEST]
            known = words.get(name)
            said = known.get(said, known.get("*", said)) if isinstance(known, dict) else said
            if said not in ("", None):
                found[name] = said
        for name, column in self._table("bracketed").items():
            if number := _BRACKETED.search(self._cell(row, column)[:_LONGEST]):
                found[name] = int(number[1])
        spans = {
            days: [self._cell(row, each) for each in ([columns] if isinstance(columns, str) else columns)]
            for days, columns in self._table("hours").items()
        }
        opening = hours.by_days(spans) if spans else hours.of_text(self._said(row, "hours_text"))
        if opening and "opening_hours" not in found:
            found["opening_hours"] = opening
        return found

    def _time(self, row: Row) -> int:
        said = self._said(row, "time")
        if not self._columns.get("time"):
            return self._now
        forms = self._source.settings.get("time_forms") or ()
        try:
            return moment(said, zone=self._source.time_zone, forms=forms)
        except InvalidInput as error:
            raise Refused("bad-time", str(error)) from None

    def _counts(self, row: Row, thing: ThingDeclaration) -> None:
        asked = {name: self._said(row, name) for name in ("capacity", "free", "occupied")}
        kinds = {kind: self._cell(row, column) for kind, column in self._table("free_for").items()}
        self.gathered.declare(self._declare(thing, "occupied" if self._columns.get("occupied") else "free"))
        if not any((*asked.values(), *kinds.values())):
            return
        try:
            time = self._time(row)
        except Refused as refused:
            self.gathered.refuse(refused, row.body, row.where)
            return
        values = self._whole({**asked, **kinds}, row)
        for name, said in asked.items():
            if name != "capacity" and said and name not in values:
                self.gathered.add(self._declare(thing, name), time, None, parking.unread(said))
        closed = self._source.settings.get("closed") or ()
        state = self._said(row, "state")
        states = {"closed"} if state and state in closed else set()
        faulty = bool(state) and state in (self._source.settings.get("faulty") or ())
        for name, count in values.items():
            if name in asked:
                flag = "faulty" if faulty else parking.doubt(name, values, states)
                self.gathered.add(self._declare(thing, name), time, count, flag)
            else:
                self.gathered.add(parking.declare_for(self._declare(thing, "free"), name), time, count)

    def _whole(self, asked: Mapping[str, str], row: Row) -> dict[str, int]:
        """The counts that can be read; one rejection for the others of a row, since its bytes cannot be told apart."""
        found: dict[str, int] = {}
        bad: list[str] = []
        for name, said in asked.items():
            count = number_of(said, self._columns.get("decimal") or ".") if said else None
            if count is not None and count == int(count) and 0 <= count < _MOST:
                found[name] = int(count)
            elif said:
                bad.append(f"{name} is {shown(said)}")
        if bad:
            reason = f"{', '.join(bad)}, not a whole number from 0 on"
            self.gathered.refuse(Refused("bad-number", reason), row.body, row.where)
        return found

    def _bay(self, row: Row, thing: ThingDeclaration) -> None:
        declared = parking.declare_bay(self._source, thing, self._sensor)
        self.gathered.declare(declared)
        said = self._said(row, "taken")
        if not said:
            return
        try:
            words = self._table("words").get("taken")
            known = words.get(said) if isinstance(words, dict) else said
            taken = number_of(str(known)) if known is not None else None
            if taken not in (0, 1):
                raise Refused("bad-number", f"{shown(said)} does not say whether the bay is taken")
            self.gathered.add(declared, self._time(row), int(taken))
        except Refused as refused:
            self.gathered.refuse(refused, row.body, row.where)

    def _declare(self, thing: ThingDeclaration, quantity: str) -> Declaration:
        said = parking.stream_properties(self._source)
        if self._source.settings.get("estimated"):
            error = self._source.settings.get("error")
            said |= {"estimated": True, **({"error": error} if isinstance(error, int | float) else {})}
        return parking.declare(self._source, thing, quantity, self._sensor, high=None, properties=said)
