"""New observations as a client sends many of them: data arrays (18-088, 12.2), as columns, checked row by row.

A row that cannot be taken is told of by its place and keeps none of the others out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from allmende.domain import ids, times
from allmende.domain.batch import Rows
from allmende.domain.bounds import Bounds, fault_of_size, fault_of_time
from allmende.domain.creation import id_of, keep_result, keep_value
from allmende.domain.errors import InvalidInput
from allmende.domain.model import ENTITIES, STREAMS
from allmende.domain.query import ResultKind

_OBSERVATION = ENTITIES["Observation"]
_ID = frozenset({"id", "@iot.id"})
_FEATURE = frozenset({"FeatureOfInterest/id", "FeatureOfInterest/@iot.id"})
Refused = dict[int, InvalidInput]
"""Rows that cannot be taken, by their place in the group."""


def plan_rows(group: object, *, now: int, bounds: Bounds, where: str) -> tuple[Rows, Refused, int]:
    """The good rows of one group, the refused ones, and how many there were altogether.

    Raises InvalidInput where the group itself cannot be understood: no stream, no such component, no list of rows.
    """
    if not isinstance(group, dict):
        raise InvalidInput("a group is an object with a Datastream, components and a dataArray", where=where)
    stream, identifier = _stream_of(group, where)
    components = _components(group.get("components"), f"{where}.components")
    array = group.get("dataArray")
    if not isinstance(array, list):
        raise InvalidInput("this is a list of rows, each a list of values", where=f"{where}.dataArray")
    refused: Refused = {}
    width = len(components)
    places: Sequence[int] = range(len(array))
    if not all(type(row) is list and len(row) == width for row in array):
        for place, row in enumerate(array):
            if type(row) is not list or len(row) != width:
                refused[place] = InvalidInput(f"a row has {width} values, one for each component")
        places = [place for place in places if place not in refused]
        array = [array[place] for place in places]
    columns = dict(zip(components, zip(*array, strict=True), strict=True)) if array else {}
    rows = _Reader(stream, identifier, places, refused, now, bounds).read(columns)
    return rows, refused, len(group["dataArray"])


def _stream_of(group: dict[str, Any], where: str) -> tuple[str, str]:
    """The relation that leads to the stream, and the stream's id."""
    for relation in _OBSERVATION.relations:
        said = group.get(relation.name)
        if relation.name in STREAMS and said is not None:
            place = f"{where}.{relation.name}"
            identifier = id_of(said, place) if isinstance(said, dict) else None
            if identifier is None:
                raise InvalidInput('name a stream that exists: {"@iot.id": …}', where=place)
            return relation.name, identifier
    raise InvalidInput("Datastream is missing", where=where)


def _components(said: object, where: str) -> list[str]:
    if not isinstance(said, list):
        raise InvalidInput('this is a list of names, e.g. ["phenomenonTime", "result"]', where=where)
    names: list[str] = []
    for place, name in enumerate(said):
        known = name in _ID or name in _FEATURE if isinstance(name, str) else False
        if not known and (not isinstance(name, str) or _OBSERVATION.attribute(name) is None):
            raise InvalidInput(f"an Observation has no component {name!r}"[:200], where=f"{where}[{place}]")
        name = "@iot.id" if name in _ID else "FeatureOfInterest/id" if name in _FEATURE else name
        if name in names:
            raise InvalidInput(f"{name} is there twice", where=f"{where}[{place}]")
        names.append(name)
    if "result" not in names:
        raise InvalidInput("result is missing", where=where)
    return names


class _Reader:
    """Reads columns of one group; what is refused on the way is taken out at the end."""

    def __init__(
        self, stream: str, identifier: str, places: Sequence[int], refused: Refused, now: int, bounds: Bounds
    ) -> None:
        self.stream = stream
        self.identifier = identifier
        self.places = places
        self.refused = refused
        self.now = now
        self.latest = now + bounds.future
        self.bounds = bounds

    def read(self, columns: Mapping[str, Sequence[Any]]) -> Rows:
        """The rows that can be taken."""
        count = len(self.places)
        kinds, results = self.results(columns.get("result", ()))
        starts, ends = self.spans("phenomenonTime", columns.get("phenomenonTime"))
        valid = columns.get("validTime")
        rows = Rows(
            relation=self.stream,
            stream=self.identifier,
            starts=starts if starts is not None else [self.now] * count,
            ends=ends,
            kinds=kinds,
            results=results,
            result_times=self.instants("resultTime", columns.get("resultTime")),
            qualities=self.plain("resultQuality", columns.get("resultQuality")),
            valid=None if valid is None else self.column(valid, lambda v: self.kept("validTime", v)),
            parameters=self.plain("parameters", columns.get("parameters")),
            features=self.names("FeatureOfInterest/id", columns.get("FeatureOfInterest/id")),
            ids=self.names("@iot.id", columns.get("@iot.id")),
            places=self.places,
        )
        return (
            rows.only([i for i, place in enumerate(self.places) if place not in self.refused]) if self.refused else rows
        )

    def column(self, values: Sequence[Any], read: Callable[[Any], Any]) -> list[Any]:
        """Each value as it is kept; a row whose value cannot be taken is refused, and has None there."""
        try:
            return list(map(read, values))
        except InvalidInput:
            return [self._try(place, value, read) for place, value in zip(self.places, values, strict=True)]

    def _try(self, place: int, value: Any, read: Callable[[Any], Any]) -> Any:
        try:
            return read(value)
        except InvalidInput as error:
            self.refused.setdefault(place, error)
            return None

    def kept(self, name: str, value: Any) -> Any:
        """A value by the rules of its attribute."""
        attribute = _OBSERVATION.attribute(name)
        return keep_value(attribute, value, name, {}) if attribute is not None else None

    def results(self, values: Sequence[Any]) -> tuple[list[int], list[Any]]:
        """Kinds and values."""
        types = set(map(type, values))
        if types == {float}:
            return [ResultKind.DECIMAL] * len(values), list(values)
        if types == {int} and min(values) >= -(2**63) and max(values) < 2**63:
            return [ResultKind.INTEGER] * len(values), list(values)
        pairs = self.column(values, self._result)
        pairs = [pair or (ResultKind.NULL, None) for pair in pairs]
        return [kind for kind, _ in pairs], [value for _, value in pairs]

    def _result(self, value: Any) -> tuple[int, Any]:
        kind, kept = keep_result(value)
        fault = fault_of_size(len(kept), self.bounds, kind) if kind >= ResultKind.STRING else None
        if fault:
            raise InvalidInput(fault.reason, where="result")
        return kind, kept

    def spans(self, name: str, values: Sequence[Any] | None) -> tuple[list[int] | None, list[int | None] | None]:
        """Starts and ends of phenomenon times; ends are None where all are instants."""
        if values is None:
            return None, None
        try:
            starts = list(map(times.parse_instant, values))
        except (InvalidInput, TypeError):
            # Spans, nulls, or mistakes: one by one.
            now = times.Interval(self.now)
            spans = self.column(values, lambda v: now if v is None else self.kept(name, v))
            spans = [span or now for span in spans]
            starts, ends = [span.start for span in spans], [span.end for span in spans]
            self._check(name, starts)
            self._check(name, ends)
            return starts, ends if any(end is not None for end in ends) else None
        self._check(name, starts)
        return starts, None

    def instants(self, name: str, values: Sequence[Any] | None) -> list[int | None] | None:
        """Result times."""
        if values is None:
            return None
        found = self.column(values, lambda v: self.kept(name, v))
        self._check(name, found)
        return found

    def _check(self, name: str, moments: Sequence[int | None]) -> None:
        known = [moment for moment in moments if moment is not None]
        if not known or (min(known) >= self.bounds.earliest and max(known) <= self.latest):
            return
        for place, moment in zip(self.places, moments, strict=True):
            fault = None if moment is None else fault_of_time(moment, self.latest, self.bounds)
            if fault:
                self.refused.setdefault(place, InvalidInput(fault.reason, where=name))

    def plain(self, name: str, values: Sequence[Any] | None) -> list[Any] | None:
        """A column of JSON."""
        return None if values is None else self.column(values, lambda v: self.kept(name, v))

    def names(self, name: str, values: Sequence[Any] | None) -> list[str | None] | None:
        """A column of ids."""
        if values is None or not any(value is not None for value in values):
            return None
        return self.column(values, lambda v: None if v is None else self._id(name, v))

    def _id(self, name: str, value: Any) -> str:
        try:
            return ids.normalise(value)
        except InvalidInput as error:
            raise InvalidInput(error.message, where=name) from None
