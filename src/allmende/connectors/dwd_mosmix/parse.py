"""A run of MOSMIX: the head says when it was computed and for which hours, each Placemark holds a station."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from lxml import etree

from allmende.connectors.gathering import Gathered, Refused, number, position, shown, text
from allmende.connectors.markup import content, elements, find, local
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Parsed, Position, SensorDeclaration, ThingDeclaration
from allmende.domain.times import DAY, parse_duration, parse_instant

_HEAD, _STATION = "ProductDefinition", "Placemark"
_SENSOR = SensorDeclaration(
    id="dwd-mosmix",
    name="MOSMIX",
    description="Statistically corrected output of the DWD's weather models",
    metadata="https://www.dwd.de/mosmix",
)
_NUMBER = re.compile(r"[A-Z0-9]{3,8}\Z", re.ASCII)
_FURTHEST = 30 * DAY
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


def parse(payload: Payload, source: Source) -> Parsed:
    """Every station that is wanted; a rejection for each value, row, hour or document that cannot be read."""
    gathered = Gathered()
    try:
        with _opened(payload.body, source) as stream:
            _read(stream, source, gathered)
    except Refused as refused:
        gathered.refuse(refused, payload.body)
    return gathered.parsed()


class _Bounded(io.RawIOBase):
    """A stream of which no more than so many bytes are read: a ZIP may hold a thousand times its size."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int = -1) -> bytes:
        try:
            found = self._stream.read(size)
        except _ZIP_ERRORS as error:
            raise Refused("unreadable", f"the ZIP is damaged: {error}") from None
        self._left -= len(found)
        if self._left < 0:
            raise Refused("too-large", "the ZIP holds more than settings.max_unpacked")
        return found


@contextmanager
def _opened(body: bytes, source: Source) -> Iterator[BinaryIO]:
    if not body.startswith(b"PK"):
        yield io.BytesIO(body)
        return
    most = source.settings.get("max_unpacked")
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
        name = next((name for name in archive.namelist() if name.lower().endswith(".kml")), None)
        if name is None:
            raise Refused("unreadable", "the ZIP holds no .kml")
        stream = archive.open(name)
    except _ZIP_ERRORS as error:
        raise Refused("unreadable", f"this is no ZIP that can be read: {error}") from None
    with archive, stream:
        yield _Bounded(stream, most if isinstance(most, int) else 2**29)  # type: ignore[arg-type, misc]  # reads no more than it declares


def _read(stream: BinaryIO, source: Source, gathered: Gathered) -> None:
    reader: _Reader | None = None
    for element in elements(stream, _HEAD, _STATION):
        if local(element) == _HEAD:
            reader = _Reader(source, gathered, _Head.of(element, gathered))
        elif reader is None:
            raise Refused("no-run", f"a station stands before the {_HEAD}, which says the run")
        else:
            reader.read(element)
    if reader is None:
        raise Refused("no-run", f"the document has no {_HEAD}")
    if not reader.stations and reader.hours:
        raise Refused("no-station", "the document holds none of the stations that are wanted")


class _Head(NamedTuple):
    run: int
    said: str
    """The run as the document writes it."""
    steps: list[tuple[int | None, str]]
    """The hours, in their order; None for one that cannot be read."""

    @classmethod
    def of(cls, element: etree._Element, gathered: Gathered) -> "_Head":
        said = content(find(element, "IssueTime"))
        try:
            run = parse_instant(said)
        except InvalidInput as error:
            raise Refused("bad-run", f"IssueTime: {error}") from None
        listed = find(element, "ForecastTimeSteps")
        texts = [content(step) for step in listed if local(step) == "TimeStep"] if listed is not None else []
        if not texts:
            raise Refused("no-steps", "the document does not say for which hours it is")
        steps: list[tuple[int | None, str]] = []
        for text_ in texts:
            try:
                steps.append((parse_instant(text_), text_))
            except InvalidInput as error:
                steps.append((None, text_))
                body = _document(said, [text_], None)
                gathered.refuse(Refused("bad-time", f"TimeStep: {error}"), body, where=f"TimeStep {len(steps)}")
        known = [time for time, _ in steps if time is not None]
        if known != sorted(set(known)):
            # The rows of numbers follow this order: if it is not that of time, nobody knows what they belong to.
            raise Refused("unordered", "the hours are not in the order of time, or one comes twice")
        if known and not run - DAY <= known[0] <= known[-1] <= run + _FURTHEST:
            raise Refused("bad-run", f"the run {said} is not of these hours, {texts[0]} to {texts[-1]}")
        return cls(run, said, steps)


class _Reader:
    def __init__(self, source: Source, gathered: Gathered, head: _Head) -> None:
        self._source = source
        self._gathered = gathered
        self._head = head
        self._quantities = Quantities(source)
        self.stations = 0
        self.hours = sum(time is not None for time, _ in head.steps)
        stations = source.settings.get("stations")
        self._wanted = {str(station) for station in stations} if isinstance(stations, list) else set()
        horizon = source.settings.get("horizon")
        self._last = head.run + parse_duration(horizon if isinstance(horizon, str) else "P10D")

    def read(self, placemark: etree._Element) -> None:
        """One station: a row of numbers for each quantity."""
        try:
            station = content(find(placemark, "name"))
            if not _NUMBER.match(station):
                raise Refused("no-identity", f"{shown(station)} is no station's number")
        except Refused as refused:
            self.stations += 1
            self._gathered.refuse(refused, _document(self._head.said, self._texts(), placemark))
            return
        if self._wanted and station not in self._wanted:
            return
        self.stations += 1
        thing = self._thing(station, placemark)
        data = find(placemark, "ExtendedData")
        for row in data if data is not None else ():
            name = next((value for key, value in row.attrib.items() if str(key).endswith("elementName")), "")
            if local(row) != "Forecast":
                continue
            try:
                if not name:
                    raise Refused("no-identity", "a row of numbers does not say what it is (elementName)")
                if self._quantities.knows(str(name)):
                    self._row(thing, placemark, str(name), content(find(row, "value")).split())
            except Refused as refused:
                kept = content(find(row, "value")).split()
                body = self._alone(placemark, str(name), self._texts(), kept)
                self._gathered.refuse(refused, body, where=f"station {station}, {name}")

    def _row(self, thing: ThingDeclaration, placemark: etree._Element, name: str, values: list[str]) -> None:
        steps = self._head.steps
        if len(values) != len(steps):
            raise Refused("uneven", f"{name} has {len(values)} values for {len(steps)} hours")
        declared = self._quantities.declare(name, thing, _SENSOR, properties={"forecast": True})
        for (time, said), value in zip(steps, values, strict=True):
            if value == "-" or time is None or time > self._last:
                continue
            try:
                self._gathered.add(declared, time, float(number(value, name)), run=self._head.run)
            except Refused as refused:
                where = f"station {thing.id.removeprefix('mosmix-')}, {name}, {said}"
                self._gathered.refuse(refused, self._alone(placemark, name, [said], [value]), where=where)

    def _thing(self, station: str, placemark: etree._Element) -> ThingDeclaration:
        known = self._source.things.get(f"mosmix-{station}")
        title = text(content(find(placemark, "description"))) or station
        return ThingDeclaration(
            id=f"mosmix-{station}",
            name=known.name if known else title,
            description=f"MOSMIX {station}, {title}",
            properties={"kind": "forecast-point", "wmo_station": station, **(dict(known.facts) if known else {})},
            position=_position(placemark),
        )

    def _texts(self) -> list[str]:
        return [said for time, said in self._head.steps if time is not None]

    def _alone(self, placemark: etree._Element, name: str, steps: list[str], values: list[str]) -> bytes:
        return _document(self._head.said, steps, placemark, name, values)


def _position(placemark: etree._Element) -> Position | None:
    parts = content(find(placemark, "Point", "coordinates")).split(",")
    return position(*parts[:2]) if len(parts) in (2, 3) else None


def _document(
    run: str, steps: list[str], placemark: etree._Element | None, name: str = "", values: list[str] | None = None
) -> bytes:
    """A document of this run with a part of one station, which can be parsed by itself."""
    kml = etree.Element("kml")
    document = etree.SubElement(kml, "Document")
    head = etree.SubElement(etree.SubElement(document, "ExtendedData"), _HEAD)
    etree.SubElement(head, "IssueTime").text = run
    listed = etree.SubElement(head, "ForecastTimeSteps")
    for step in steps:
        etree.SubElement(listed, "TimeStep").text = step
    if placemark is not None:
        kept = etree.SubElement(document, _STATION)
        for tag in ("name", "description"):
            etree.SubElement(kept, tag).text = content(find(placemark, tag))
        point = etree.SubElement(etree.SubElement(kept, "Point"), "coordinates")
        point.text = content(find(placemark, "Point", "coordinates"))
        if values is not None:
            row = etree.SubElement(etree.SubElement(kept, "ExtendedData"), "Forecast")
            if name:
                row.set("elementName", name)
            etree.SubElement(row, "value").text = " ".join(values)
    return etree.tostring(kml, encoding="utf-8")
