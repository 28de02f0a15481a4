"""Parquet, which is GeoParquet 1.1 where there are places; and GeoPackage, by the same batches of Arrow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import shapely

from allmende.faces.files.about import About
from allmende.faces.files.fields import GEOMETRY, Batch, Field
from allmende.faces.tables import arrow_field

GROUP = 100_000
"""Rows of a row group, and rows that are kept in memory."""


class _Shapes:
    """GeoJSON to WKB; remembers what kinds there were and where. Readings come in runs of one place."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.box: list[float] | None = None
        self._last: tuple[str | None, bytes | None] = (None, None)

    def convert(self, values: Sequence[str | None]) -> list[bytes | None]:
        found: list[bytes | None] = []
        for value in values:
            if value is None:
                found.append(None)
                continue
            if value != self._last[0]:
                self._last = value, self._read(value)
            found.append(self._last[1])
        return found

    def _read(self, text: str) -> bytes:
        shape = shapely.from_geojson(text)
        self.kinds.add(f"{shape.geom_type} Z" if shape.has_z else shape.geom_type)
        if not shape.is_empty:
            low, high = shape.bounds[:2], shape.bounds[2:]
            if self.box is None:
                self.box = [*low, *high]
            self.box = [*map(min, self.box[:2], low), *map(max, self.box[2:], high)]
        return bytes(shapely.to_wkb(shape))


class _Columnar:
    """Gathers batches to groups of rows."""

    def __init__(self, fields: Sequence[Field]) -> None:
        import pyarrow as pa

        self._pa = pa
        self.shapes = _Shapes()
        self.places = [place for place, field in enumerate(fields) if field.is_geometry]
        self.schema = pa.schema(
            [
                pa.field(field.name, pa.binary()) if field.is_geometry else arrow_field(field.name, field.kind)
                for field in fields
            ]
        )
        self._waiting: list[Any] = []
        self._rows = 0

    def add(self, batch: Batch) -> Any:
        """A table when a group is full, else None."""
        columns = [
            self.shapes.convert(column) if place in self.places else column
            for place, column in enumerate(batch.columns)
        ]
        arrays = [self._pa.array(column, type=field.type) for column, field in zip(columns, self.schema, strict=True)]
        self._waiting.append(self._pa.RecordBatch.from_arrays(arrays, schema=self.schema))
        self._rows += batch.rows
        return self.rest() if self._rows >= GROUP else None

    def rest(self) -> Any:
        """What waits, maybe nothing."""
        table = self._pa.Table.from_batches(self._waiting, schema=self.schema)
        self._waiting, self._rows = [], 0
        return table


class ParquetWriter:
    """Compressed by zstd. What is said of the data is the metadata ``allmende`` of the file, as JSON."""

    def __init__(self, path: Path, said: About, fields: Sequence[Field], *, sorted_by: Sequence[str] = ()) -> None:
        from pyarrow import parquet

        self._gather = _Columnar(fields)
        names = [field.name for field in fields]
        order = [parquet.SortingColumn(names.index(name)) for name in sorted_by if name in names]
        self._file: Any = parquet.ParquetWriter(
            path, self._gather.schema, compression="zstd", sorting_columns=order or None
        )
        told = said.told()
        self._file.add_key_value_metadata(
            {
                "allmende": msgspec.json.encode(told).decode(),
                "licence": said.licence_url,
                "attribution": said.attribution,
                "columns": msgspec.json.encode({field.name: field.en for field in fields}).decode(),
            }
        )

    def write(self, batch: Batch) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        table = self._gather.add(batch)
        if table is not None:
            self._file.write_table(table, row_group_size=GROUP)

    def close(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        table = self._gather.rest()
        if table.num_rows:
            self._file.write_table(table, row_group_size=GROUP)
        if self._gather.places:
            self._file.add_key_value_metadata({"geo": msgspec.json.encode(self._geo()).decode()})
        self._file.close()

    def drop(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        self._file.close()

    def _geo(self) -> dict[str, Any]:
        """The metadata of GeoParquet 1.1; without a CRS it is OGC:CRS84, which is ours."""
        shapes = self._gather.shapes
        column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(shapes.kinds)}
        if shapes.box is not None:
            column["bbox"] = shapes.box
        return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


class GeoPackageWriter:
    """OGC GeoPackage by GDAL, a group of rows at a time. What is said of the data stands in ``gpkg_metadata``."""

    def __init__(self, path: Path, said: About, fields: Sequence[Field]) -> None:
        self._gather = _Columnar(fields)
        self._path, self._said = path, said
        self._begun = False

    def write(self, batch: Batch) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        table = self._gather.add(batch)
        if table is not None:
            self._append(table)

    def close(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        table = self._gather.rest()
        if table.num_rows or not self._begun:
            self._append(table)

    def drop(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`. GDAL closes its file after each group."""

    def _append(self, table: Any) -> None:
        import pyogrio

        said: dict[str, Any] = {}
        if not self._begun:
            told = {name: _plain(value) for name, value in self._said.told().items()}
            said = {"dataset_metadata": {"TITLE": self._said.title, **told}, "layer_options": {"FID": "fid"}}
        pyogrio.write_arrow(
            table,
            self._path,
            layer=self._said.selection.collection or self._said.id,
            driver="GPKG",
            geometry_name=GEOMETRY,
            geometry_type="Unknown",
            crs="EPSG:4326",
            append=self._begun,
            **said,
        )
        self._begun = True


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
