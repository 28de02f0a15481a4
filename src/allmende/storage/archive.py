"""The form of a backup: one gzipped file of JSON lines, the same for every engine.

The first line says what it is of. Then each table: a line with its name and columns, then lines that each hold a list
of rows. The last line counts the rows of each table and holds the SHA-256 of everything before it, so that a file that
was cut short, changed or never finished is known before anything is done with it. Bytes are in base64.
"""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from allmende.domain.errors import InvalidInput

FORMAT = 1
_LINE_BYTES = 1 << 20
_LONGEST_LINE = 1 << 28
"""A line holds rows of about a MiB together, or one row: no way in takes a body of this size."""
_LEVEL = 1  # of gzip: three times as quick as the usual, a fifth larger

Progress = Callable[[str, int], None]
"""Gets a table's name and how many of its rows are done."""


class Header(msgspec.Struct, kw_only=True, frozen=True):
    """What an archive is of."""

    allmende_backup: int = msgspec.field(name="allmende-backup", default=FORMAT)
    version: str
    engine: str
    city: str
    taken: str
    """When, ISO 8601 in UTC."""
    newest: int
    """The highest number that a change in here may have."""
    migrations: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """What the house has besides, and what is not in here, in words."""


class Table(msgspec.Struct, kw_only=True, frozen=True):
    """The rows that follow: ``binary`` are the columns that hold bytes."""

    table: str
    columns: tuple[str, ...]
    binary: tuple[str, ...] = ()


class End(msgspec.Struct, kw_only=True, frozen=True):
    """How many rows there were of each table, and the checksum."""

    end: dict[str, int]
    sha256: str


class Writer:
    """Writes an archive to a stream that somebody else opens and closes."""

    def __init__(self, stream: BinaryIO, header: Header) -> None:
        self._file = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=stream, mtime=0)
        self._sum = hashlib.sha256()
        self._counts: dict[str, int] = {}
        self._encoder = msgspec.json.Encoder()
        self._line(self._encoder.encode(header))

    def table(self, table: Table, rows: Iterable[Sequence[Any]], progress: Progress | None = None) -> None:
        """A table with its rows. Times become ISO 8601, bytes base64."""
        self._line(self._encoder.encode(table))
        waiting: list[bytes] = []
        size = count = 0
        for row in rows:
            waiting.append(self._encoder.encode(row))
            size += len(waiting[-1])
            if size > _LINE_BYTES:
                self._line(b"[" + b",".join(waiting) + b"]")
                count += len(waiting)
                waiting, size = [], 0
                if progress is not None:
                    progress(table.table, count)
        if waiting:
            self._line(b"[" + b",".join(waiting) + b"]")
        self._counts[table.table] = count + len(waiting)
        if progress is not None:
            progress(table.table, count + len(waiting))

    def finish(self) -> dict[str, int]:
        """The last line; gives the rows of each table."""
        self._line(self._encoder.encode(End(end=self._counts, sha256=self._sum.hexdigest())))
        self._file.close()
        return self._counts

    def _line(self, line: bytes) -> None:
        self._file.write(line + b"\n")
        self._sum.update(line + b"\n")


class Reader:
    """An archive on the disk. Whatever is wrong with it raises InvalidInput that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: dict[str, int] = {}
        lines = self._lines()
        self.header = self._header(next(lines, b""))
        lines.close()

    def check(self, progress: Callable[[int], None] | None = None) -> None:
        """Read all of it once, and compare its checksum. ``progress`` gets the lines read so far."""
        total, last = hashlib.sha256(), b""
        for number, line in enumerate(self._lines(), 1):
            total.update(last)
            last = line
            if progress is not None:
                progress(number)
        try:
            end = msgspec.json.decode(last, type=End)
        except msgspec.DecodeError:
            raise self._broken("it ends in the middle") from None
        if end.sha256 != total.hexdigest():
            raise self._broken("its checksum is another one")
        self.counts = end.end

    def tables(self) -> Iterator[tuple[Table, Iterator[list[Any]]]]:
        """Each table with the lists of its rows, which have to be read before the next table is asked for."""
        lines = self._lines()
        next(lines, b"")
        line = next(lines, b"")
        while line.startswith(b'{"table"'):
            table = msgspec.json.decode(line, type=Table)
            line = b""

            def rows() -> Iterator[list[Any]]:
                nonlocal line
                for line in lines:
                    if not line.startswith(b"["):
                        return
                    yield msgspec.json.decode(line)

            yield table, rows()

    def _lines(self) -> "_Lines":
        return _Lines(self)

    def _header(self, line: bytes) -> Header:
        try:
            said = msgspec.json.decode(line)
            number = said["allmende-backup"]
        except (msgspec.DecodeError, KeyError, TypeError):
            raise InvalidInput("this is no backup made by `allmende backup`", where=str(self.path)) from None
        if number != FORMAT:
            raise InvalidInput(
                f"this backup has the form {number}, this release knows {FORMAT}; restore it with release"
                f" {said.get('version')} or newer",
                where=str(self.path),
            )
        try:
            return msgspec.convert(said, type=Header)
        except msgspec.ValidationError as error:
            raise self._broken(str(error)) from None

    def _broken(self, what: str) -> InvalidInput:
        return InvalidInput(f"this backup is broken: {what}; nothing was restored", where=str(self.path))


class _Lines:
    """The lines of an archive; the file is closed behind the last."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        try:
            self._raw = reader.path.open("rb")
        except OSError as error:
            raise InvalidInput(f"the file cannot be read: {error.strerror}", where=str(reader.path)) from None
        self._file = gzip.GzipFile(fileobj=self._raw)
        self._begun = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> bytes:
        try:
            line = self._file.readline(_LONGEST_LINE)
        except (EOFError, zlib.error, OSError) as error:
            self.close()
            if isinstance(error, gzip.BadGzipFile) and not self._begun:
                message = "this is no backup made by `allmende backup`"
                raise InvalidInput(message, where=str(self._reader.path)) from None
            raise self._reader._broken(str(error)) from None
        if not line:
            self.close()
            raise StopIteration
        if len(line) >= _LONGEST_LINE:
            self.close()
            raise self._reader._broken(f"a line has more than {_LONGEST_LINE >> 20} MiB")
        self._begun = True
        return line

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()
