"""GeoJSON (RFC 7946): a feature for each row. What is said of the data stands in a member of its own, before them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from allmende.domain.times import format_instant
from allmende.faces.files.about import About
from allmende.faces.files.fields import Batch, Field
from allmende.faces.tables import ColumnKind


class GeoJsonWriter:
    """One feature a line, so that it can be read line by line, too."""

    def __init__(self, path: Path, said: About, fields: Sequence[Field]) -> None:
        self._file = path.open("wb")
        self._rows = 0
        self._shape = next((place for place, field in enumerate(fields) if field.is_geometry), None)
        self._plain = [(place, field) for place, field in enumerate(fields) if not field.is_geometry]
        head = msgspec.json.encode({"type": "FeatureCollection", "name": said.id, "metadata": said.told()})
        self._file.write(head[:-1] + b',"features":[')

    def write(self, batch: Batch) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        names = [field.name for _, field in self._plain]
        columns = [
            [None if v is None else format_instant(v) for v in batch.columns[place]]
            if field.kind is ColumnKind.INSTANT
            else batch.columns[place]
            for place, field in self._plain
        ]
        shapes = [None] * batch.rows if self._shape is None else batch.columns[self._shape]
        encode, pieces = msgspec.json.Encoder().encode, []
        for shape, *values in zip(shapes, *columns, strict=True):
            geometry = b"null" if shape is None else shape.encode()
            told = encode(dict(zip(names, values, strict=True)))
            pieces.append(b'{"type":"Feature","geometry":' + geometry + b',"properties":' + told + b"}")
        self._file.write((b",\n" if self._rows else b"\n") + b",\n".join(pieces))
        self._rows += batch.rows

    def close(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        self._file.write(b'\n],"numberReturned":%d}\n' % self._rows)
        self._file.close()

    def drop(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        self._file.close()
