"""The change-only recording: ``timestamp,place_id,free``, a value holds until the place's next row.

Columns are found by their names. Signs around fields (quotes) are not taken off: the recording has none.
"""

import re
from collections.abc import Iterator

from allmende.connectors.jena_parking.places import Places
from allmende.connectors.jena_parking.streams import Gathered
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Parsed, Rejection, Series
from allmende.domain.times import parse_instant

COLUMNS = (b"timestamp", b"place_id", b"free")
_NUMBER = re.compile(rb"[0-9]{1,9}\Z")
_LINE_END = re.compile(rb"\r+(?:\n|\Z)")


class _RefusedError(Exception):
    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason


class _Times(dict[bytes, int]):
    """Rows of one sample share their time, so each text is read once."""

    def __missing__(self, text: bytes) -> int:
        try:
            self[text] = time = parse_instant(text.decode())
        except (InvalidInput, UnicodeDecodeError) as error:
            raise _RefusedError("bad-time", str(error)) from None
        return time


class _Numbers(dict[bytes, int]):
    def __missing__(self, text: bytes) -> int:
        if not _NUMBER.match(text):
            raise _RefusedError("bad-number", f"free is {_shown(text)}, not a whole number from 0 on")
        self[text] = number = int(text)
        return number


class _Series(dict[bytes, Series]):
    def __init__(self, gathered: Gathered, places: Places) -> None:
        super().__init__()
        self._gathered = gathered
        self._places = places

    def __missing__(self, text: bytes) -> Series:
        thing = self._places.find(text.decode(errors="replace"))
        if thing is None:
            raise _RefusedError("unknown-place", f"no thing of the profile is called {_shown(text)}")
        self[text] = series = self._gathered.series(thing, "free")
        return series


def read_recording(payload: Payload, source: Source) -> Parsed:
    """The rows of one block under its header. Blank lines are no rows."""
    text = payload.body.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in text:
        text = _LINE_END.sub(b"\n", text)
    header, _, body = text.partition(b"\n")
    names = [name.strip().lower() for name in header.split(b",")]
    if any(name not in names for name in COLUMNS):
        wanted = b",".join(COLUMNS).decode()
        reason = f"the header is {_shown(header)}; the columns {wanted} are needed"
        return Parsed((), (Rejection(reason=reason, body=payload.body, where="line 1", code="bad-header"),))
    gathered = Gathered(source)
    rejections: list[Rejection] = []
    # A block of a larger file says where its data begins; a file by itself begins with the header.
    first = max(payload.line, 2)
    for index, row, refusal in _fill(_Series(gathered, Places(source)), names, body):
        kept = header + b"\n" + row + b"\n"
        rejections.append(Rejection(reason=refusal.reason, body=kept, where=f"line {first + index}", code=refusal.code))
    return Parsed(gathered.records(), rejections)


def _fill(series: _Series, names: list[bytes], body: bytes) -> Iterator[tuple[int, bytes, _RefusedError]]:
    """Fills the series; gives out what is refused. The one loop of the import: three look-ups and two appends a row."""
    width = len(names)
    at_time, at_place, at_free = (names.index(name) for name in COLUMNS)
    times, numbers = _Times(), _Numbers()
    for index, row in enumerate(body.split(b"\n")):
        cells = row.split(b",")
        try:
            if len(cells) != width:
                if not row.strip():
                    continue
                raise _RefusedError("wrong-columns", f"{len(cells)} columns under a header of {width}")
            found = series[cells[at_place]]
            time = times[cells[at_time]]
            free = numbers[cells[at_free]]
        except _RefusedError as refusal:
            yield index, row, refusal
            continue
        found.times.append(time)
        found.results.append(free)


def _shown(text: bytes) -> str:
    return repr(text[:80].decode(errors="replace"))
