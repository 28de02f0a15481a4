"""The tables of a GTFS feed: a zip of texts, or one of them by itself."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from allmende.domain.errors import InvalidInput, LimitExceeded

UNPACKED_BYTES = 512 * 1024 * 1024
"""Of one table. Larger ones are left aside where nothing hangs on them, and refused where something does."""
ROWS = {"stops": 1_000_000, "routes": 200_000, "trips": 5_000_000, "agency": 10_000}
"""Of the tables that are held: a few bytes of a zip can hold any number of rows. Germany has some 700,000 stops."""


class Row(NamedTuple):
    """A row: its cells by column, or None where it has not as many as the header."""

    number: int
    cells: dict[str, str] | None
    body: bytes
    """The header and this row, as a rejection holds it."""


class Feed:
    """A feed. Raises InvalidInput for what is neither a zip nor a table of GTFS."""

    def __init__(self, body: bytes) -> None:
        self._archive: zipfile.ZipFile | None = None
        self._tables: dict[str, bytes] = {}
        self._places: dict[str, zipfile.ZipInfo] = {}
        if body.startswith(b"PK\x03\x04"):
            try:
                self._archive = zipfile.ZipFile(io.BytesIO(body))
            except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
                raise InvalidInput(f"this zip cannot be read: {error}") from None
            for entry in self._archive.infolist():
                name = entry.filename.rpartition("/")[2]
                if name.endswith(".txt") and not entry.filename.startswith("__MACOSX"):
                    self._places.setdefault(name.removesuffix(".txt"), entry)
            return
        first = body[:10_000].removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].replace(b'"', b"")
        columns = {name.strip() for name in first.split(b",")}
        for table, key in (("stops", b"stop_lat"), ("routes", b"route_type")):
            if key in columns:
                self._tables[table] = body
        if not self._tables:
            raise InvalidInput("this is no GTFS: neither a zip nor a table of stops or routes")

    def has(self, table: str, *, small: bool = False) -> bool:
        """Whether there is such a table; with ``small``: one that may be read."""
        entry = self._places.get(table)
        return table in self._tables or (entry is not None and (not small or entry.file_size <= UNPACKED_BYTES))

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, none where it is missing. Raises InvalidInput where it breaks off."""
        if not self.has(table):
            return
        try:
            yield from self._rows(table)
        except (csv.Error, ValueError, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise InvalidInput(f"{table}.txt cannot be read: {error}") from None
        except (zipfile.BadZipFile, zlib.error) as error:
            raise InvalidInput(f"{table}.txt is damaged: {error}") from None

    def _rows(self, table: str) -> Iterator[Row]:
        with self._open(table) as text:
            reader = csv.reader(text, strict=True)
            header = [name.strip() for name in next(reader, [])]
            most = ROWS.get(table)
            for number, cells in enumerate(reader, 2):
                if most is not None and number > most:
                    raise LimitExceeded(f"{table}.txt has more than {most:,} rows", setting="ROWS")
                if not cells:
                    continue
                fits = len(cells) == len(header)
                known = dict(zip(header, map(str.strip, cells), strict=True)) if fits else None
                yield Row(number, known, _written(header, cells) if table in ("stops", "routes") else b"")

    def _open(self, table: str) -> io.TextIOBase:
        if self._archive is None:
            raw: io.BufferedIOBase = io.BytesIO(self._tables[table])
        else:
            entry = self._places[table]
            if entry.file_size > UNPACKED_BYTES:
                raise LimitExceeded(f"{table}.txt has {entry.file_size:,} bytes", setting="UNPACKED_BYTES")
            raw = self._archive.open(entry)  # type: ignore[assignment]  # reads no more than it declares
        return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _written(header: list[str], cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows((header, cells))
    return out.getvalue().encode("utf-8", "replace")
