"""A city's register of addresses as a file: CSV or TSV with named columns, or five columns without a header, packed by
gzip or not.

Each bad row is a fault with its line; the others are taken.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from allmende.domain.errors import InvalidInput
from allmende.knowledge.maps.finding import AddressRow
from allmende.knowledge.maps.spelling import read_number

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "street": ("street", "strasse", "straße", "strassenname", "straßenname", "str_name", "strname", "addr:street"),
        "number": (
            "number",
            "hausnummer",
            "hnr",
            "hausnr",
            "nummer",
            "house_number",
            "housenumber",
            "addr:housenumber",
        ),
        "suffix": ("suffix", "zusatz", "hausnummernzusatz", "hnr_zusatz", "adz"),
        "postcode": ("postcode", "plz", "postleitzahl", "zip", "addr:postcode"),
        "place": ("place", "ort", "ortsteil", "gemeinde", "city", "stadtteil", "addr:suburb", "addr:city"),
        "lon": ("lon", "lng", "long", "longitude", "länge", "laenge", "x", "ost", "ostwert", "easting"),
        "lat": ("lat", "latitude", "breite", "y", "nord", "nordwert", "northing"),
    }
)
"""Names of columns, in small letters."""
PLAIN = ("street", "number", "postcode", "lon", "lat")
"""What the columns of a file without a header are, in their order; what follows is left out."""
MOST_BYTES = 512 * 1024 * 1024
"""Unpacked: a register of a million houses has some 100 MB."""
_SEPARATORS = "\t;|,"
_LONGEST = 200


class Fault(NamedTuple):
    """A row that could not be taken: its line in the file, counted from 1, and why."""

    line: int
    reason: str


def read_register(body: bytes, crs: str = "EPSG:4326") -> Iterator[AddressRow | Fault]:
    """The addresses and faults of a file in their order; ``crs`` is what its coordinates are in.

    Raises InvalidInput where nothing of the file can be read, before anything is given.
    """
    text = _text(_unpacked(body))
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    if separator not in first:
        raise InvalidInput("has no columns: they are separated by tab, semicolon, comma or |", where="line 1")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    head = _columns([cell.strip().lower() for cell in first.rstrip("\r").split(separator)])
    if head:
        next(rows)
    return _rows(rows, head or {name: place for place, name in enumerate(PLAIN)}, _Degrees(crs))


def _unpacked(body: bytes) -> bytes:
    if body[:2] != b"\x1f\x8b":
        return body
    try:
        with gzip.open(io.BytesIO(body)) as stream:
            unpacked = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"cannot be unpacked: {error}") from None
    if len(unpacked) > MOST_BYTES:
        raise InvalidInput(f"is larger than {MOST_BYTES // 1024 // 1024} MB when it is unpacked")
    return unpacked


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")  # what German offices write else


def _columns(names: Sequence[str]) -> dict[str, int]:
    """Where the columns of a header stand; nothing where the line is no header."""
    plain = [name.strip('"').strip() for name in names]
    found = {}
    for meaning, known in COLUMNS.items():
        place = next((plain.index(name) for name in known if name in plain), None)
        if place is not None:
            found[meaning] = place
    if not found:
        if len(names) < len(PLAIN):
            raise InvalidInput(f"has neither a header nor the columns {', '.join(PLAIN)}", where="line 1")
        return {}
    missing = [meaning for meaning in ("street", "number", "lon", "lat") if meaning not in found]
    if missing:
        wanted = "; ".join(f"{meaning}: {', '.join(COLUMNS[meaning])}" for meaning in missing)
        raise InvalidInput(f"lacks columns. Known names are {wanted}", where="line 1")
    return found


class _Degrees:
    """Two texts to lon and lat."""

    def __init__(self, crs: str) -> None:
        from pyproj import CRS, Transformer
        from pyproj.exceptions import CRSError

        try:
            given = CRS.from_user_input(crs)
        except CRSError:
            raise InvalidInput(f"there is no such reference system: {crs}", where="--crs") from None
        self._plain = given.to_epsg() == 4326
        self._change = None if self._plain else Transformer.from_crs(given, "EPSG:4326", always_xy=True)

    def __call__(self, lon: str, lat: str) -> tuple[float, float]:
        """Raises ValueError for what is no place."""
        x, y = float(lon.strip().replace(",", ".")), float(lat.strip().replace(",", "."))
        if self._change is not None:
            x, y = self._change.transform(x, y)
        if not (-180 <= x <= 180 and -90 <= y <= 90):
            raise ValueError("out of range")
        return round(x, 7), round(y, 7)


def _rows(rows: Iterator[list[str]], places: Mapping[str, int], degrees: _Degrees) -> Iterator[AddressRow | Fault]:
    # csv's reader counts lines, also those within quotes
    reader, seen = rows, set[tuple[str, ...]]()
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Fault(reader.line_num, f"is no row: {error}")  # type: ignore[attr-defined]
            continue
        line: int = reader.line_num  # type: ignore[attr-defined]
        if not any(cell.strip() for cell in cells):
            continue
        row = _row(cells, places, degrees)
        if isinstance(row, str):
            yield Fault(line, row)
            continue
        same = (row.street, row.number.casefold(), row.postcode, row.place)
        if same in seen:
            yield Fault(line, f"{row.street} {row.number} is in the file twice; the first row holds")
            continue
        seen.add(same)
        yield row


def _row(cells: Sequence[str], places: Mapping[str, int], degrees: _Degrees) -> AddressRow | str:
    """The address of a row, or why it is none."""

    def cell(name: str) -> str:
        place = places.get(name)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    street, number = cell("street"), f"{cell('number')}{cell('suffix')}".strip()
    if not any(sign.isalpha() for sign in street) or not street.isprintable() or len(street) > _LONGEST:
        return f"has no name of a street: {street[:40]!r}"
    if read_number(number) is None or len(number) > 20 or not number.isprintable():
        return f"has no house number: {number[:40]!r}"
    try:
        lon, lat = degrees(cell("lon"), cell("lat"))
    except ValueError:
        return f"has no place in degrees: {cell('lon')[:20]!r}, {cell('lat')[:20]!r} (is it of another --crs?)"
    return AddressRow(street, number, cell("postcode")[:20], cell("place")[:_LONGEST], lon, lat)
