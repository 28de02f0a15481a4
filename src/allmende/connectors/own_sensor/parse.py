"""What a citizen's sensor sent: which of the forms it is, and the readings in it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from allmende.connectors.gathering import Gathered, Refused, read_json, refuse_all, shown
from allmende.connectors.messages import number
from allmende.connectors.own_sensor import dialects
from allmende.connectors.own_sensor.streams import Streams
from allmende.connectors.own_sensor.vocabulary import same_name
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Parsed
from allmende.domain.times import SECOND, parse_instant

_TIMES = frozenset({"time", "timestamp", "phenomenontime", "zeit"})
_EPOCH_SECONDS = range(946_684_800, 4_102_444_800)
"""From 2000 to 2100: a number outside is no time that somebody means."""
_BARE = re.compile(r"[+-]?[0-9.eE+-]{1,40}\Z", re.ASCII)
_DATED = re.compile(r"\s*[0-9]{4}-?[0-9]{2}", re.ASCII)
_MOST = 500


def parse(payload: Payload, source: Source) -> Parsed:
    """Every reading; a rejection for each that cannot be read, or for the whole."""
    reader = _Reader(payload, source)
    try:
        reader.read()
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason.encode("utf-8", "backslashreplace").decode())
    return reader.gathered.parsed()


class _Reader:
    def __init__(self, payload: Payload, source: Source) -> None:
        self.gathered = Gathered()
        self._payload = payload
        self._streams = Streams(source)
        most = source.settings.get("most")
        self._left = most if isinstance(most, int) and not isinstance(most, bool) else _MOST
        parts = payload.name.split("/")
        self._part = parts[2] if len(parts) == 3 and parts[0] == "own" else ""
        """What a topic says that the values are: ``own/7/temperature``."""

    def read(self) -> None:
        """Raises Refused for what has none of the forms."""
        body = self._payload.body.removeprefix(b"\xef\xbb\xbf")
        try:
            text = body.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise Refused("unreadable", "this is no UTF-8 text") from None
        if not text:
            raise Refused("no-values", "nothing was sent")
        if text[0] in "{[":
            self._read_document(read_json(body))
        elif _BARE.match(text) and "\n" not in text:
            self._put(self._only(), self._payload.received_at, text, text.encode(), "")
        else:
            self._read_lines(text.splitlines())

    def _read_document(self, document: Any) -> None:
        if isinstance(document, dict):
            if "sensordatavalues" in document:
                self._read_dialect(dialects.community(document))
            elif dialects.is_tasmota(document):
                self._read_dialect(dialects.tasmota(document, self._streams))
            else:
                self._read_object(document, "", alone=True)
            return
        if not document:
            raise Refused("no-values", "the list is empty")
        self._count(len(document))
        for place, entry in enumerate(document):
            where = f"[{place}]"
            try:
                if not isinstance(entry, dict):
                    raise Refused("unreadable", f"an entry of the list is a JSON object, not {shown(entry)}")
                self._read_object(entry, where, alone=False)
            except Refused as refused:
                self.gathered.refuse(refused, msgspec.json.encode([entry]), where)

    def _read_object(self, said: Mapping[str, Any], where: str, *, alone: bool) -> None:
        """``{"temperature": 21.5, "time": "…"}``; where the topic says what it is, ``{"value": 21.5}`` too."""
        times = [key for key in said if same_name(key) in _TIMES]
        if len(times) > 1:
            raise Refused("bad-time", f"it has two times: {shown(times)}")
        if not times and not alone:
            raise Refused("no-time", "in a list each entry says its time")
        meant = [] if times else [key for key, value in said.items() if self._like_a_time(key, value)]
        if meant:
            raise Refused("no-time", f"{shown(meant[0])} looks like a time; call it time, or leave it out")
        when = {key: said[key] for key in times}
        at = read_time(said[times[0]]) if times else self._payload.received_at
        values = [(key, value) for key, value in said.items() if key not in when and value is not None]
        if not values:
            raise Refused("no-values", "there is no value in it")
        self._count(len(values))
        seen: set[str] = set()
        for key, value in values:
            piece: Any = {**when, key: value}
            body = msgspec.json.encode(piece if alone else [piece])
            try:
                name = self._only() if same_name(key) in ("value", "result") else self._streams.find(key)
                if name in seen:
                    raise Refused("twice", f"{shown(key)} is said twice")
                seen.add(name)
            except Refused as refused:
                twice = refused.code == "twice"  # parsed alone it would be a reading
                self.gathered.refuse(refused, msgspec.json.encode(said if alone else [said]) if twice else body, where)
                continue
            self._put(name, at, value, body, where)

    def _like_a_time(self, key: str, value: Any) -> bool:
        """Whether somebody may have meant a time: to take the reading for one of now would be wrong in silence."""
        if self._streams.known(key) is not None:
            return False
        number = value if isinstance(value, int) and not isinstance(value, bool) else 0
        named = any(word in same_name(key) for word in _TIMES)
        return named or number > _EPOCH_SECONDS[0] or (isinstance(value, str) and bool(_DATED.match(value)))

    def _read_dialect(self, values: Iterator[tuple[str, Any, bytes]]) -> None:
        """Of a device's own form what the sensor was registered for; the rest is nobody's business."""
        found = False
        for key, value, body in values:
            name = self._streams.known(key)
            if name is not None:
                found = True
                self._count(1)
                self._put(name, self._payload.received_at, value, body, key)
        if not found:
            raise Refused("unknown-name", f"nothing in it is what this sensor measures: {self._streams.listed}")

    def _read_lines(self, lines: list[str]) -> None:
        """CSV: ``time,value``, or with a line of names before it."""
        sign = ";" if ";" in lines[0] else ","
        head = [field.strip().strip('"') for field in lines[0].split(sign)]
        rows = list(enumerate(lines, 1))
        header = ""
        if same_name(head[0]) in _TIMES:
            header = f"{lines[0]}\n"
            columns = [self._only() if same_name(key) in ("value", "result") else key for key in head[1:]]
            rows = rows[1:]
        else:
            columns = [self._only()]
        if not columns or len({same_name(key) for key in columns}) < len(columns):
            raise Refused("unreadable", f"the first line names no columns, or one of them twice: {shown(lines[0])}")
        if not any(line.strip() for _, line in rows):
            raise Refused("no-values", "there is no line of values")
        for place, line in rows:
            if line.strip():
                self._read_line([part.strip() for part in line.split(sign)], columns, header, line, f"line {place}")

    def _read_line(self, fields: list[str], columns: list[str], header: str, line: str, where: str) -> None:
        whole = f"{header}{line}\n".encode()
        self._count(len(columns))
        try:
            if len(fields) != len(columns) + 1:
                raise Refused("unreadable", f"the line has {len(fields)} fields, expected are {len(columns) + 1}")
            at = read_time(fields[0])
        except Refused as refused:
            self.gathered.refuse(refused, whole, where)
            return
        sign = ";" if ";" in line else ","
        for key, field in zip(columns, fields[1:], strict=True):
            if not field:
                continue  # no value is no reading
            body = f"time{sign}{key}\n{fields[0]}{sign}{field}\n".encode()
            try:
                name = self._streams.find(key)
            except Refused as refused:
                self.gathered.refuse(refused, body, where)
                continue
            self._put(name, at, field, body, where)

    def _put(self, name: str, at: int, value: Any, body: bytes, where: str) -> None:
        try:
            self.gathered.add(self._streams.declare(name), at, number(value))
        except Refused as refused:
            self.gathered.refuse(refused, body, where)

    def _only(self) -> str:
        """What a value without a name is."""
        return self._streams.find(self._part) if self._part else self._streams.only()

    def _count(self, more: int) -> None:
        self._left -= more
        if self._left < 0:
            raise Refused("too-many", "these are more readings than one message may hold")


def read_time(said: Any) -> int:
    """Microseconds of an ISO 8601 time with an offset, or of whole seconds or milliseconds since 1970."""
    if isinstance(said, str) and said.strip().isascii() and said.strip().isdigit() and len(said) < 20:
        said = int(said)
    if isinstance(said, int) and not isinstance(said, bool):
        if said in _EPOCH_SECONDS:
            return said * SECOND
        if said // 1000 in _EPOCH_SECONDS:
            return said * 1000
    if not isinstance(said, str):
        raise Refused("bad-time", f"{shown(said)} is no time, e.g. 2026-05-01T12:00:00+02:00")
    try:
        return parse_instant(said.strip())
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None
