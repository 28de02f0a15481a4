"""A house of two open datasets and a closed one, as files; the process that answers is the real one."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from allmende.faces.files.columnar import _Shapes
from allmende.faces.files.fields import OBJECT, OUTLINE, PLAIN, REST, STREAMS, Field
from allmende.faces.tables import ColumnKind, arrow_field
from allmende.knowledge.sql.job import Answer, Limits, Trouble
from allmende.knowledge.sql.run import run
from allmende.knowledge.sql.views import OpenData, files_of, views

pytest.importorskip("duckdb", reason="duckdb is not installed")

HOUR = 3_600_000_000
MIDNIGHT = 1_711_839_600_000_000
"""2024-03-31 00:00 in Berlin: the day whose third hour is missing."""
LIMITS = Limits(seconds=15, memory=256 << 20, temporary=64 << 20, rows=1_000, bytes=1 << 20)
GENUS, NUMBER = Field(name="genus", kind=ColumnKind.TEXT), Field(name="number", kind=ColumnKind.INTEGER)
GREENS = [*OBJECT, GENUS, NUMBER, REST, OUTLINE]
Ask = Callable[..., Answer | Trouble]


def write(path: Path, fields: list[Field], rows: list[tuple[object, ...]]) -> str:
    """A file as the nightly dumps are: the columns are the house's own."""
    schema = pa.schema(
        [pa.field(f.name, pa.binary()) if f.is_geometry else arrow_field(f.name, f.kind) for f in fields]
    )
    columns = [list(column) for column in zip(*rows, strict=True)]
    shapes = _Shapes()
    arrays = [
        pa.array(shapes.convert(column) if field.is_geometry else column, type=kind.type)
        for column, field, kind in zip(columns, fields, schema, strict=True)
    ]
    table = pa.Table.from_arrays(arrays, schema=schema)
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
    }
    if any(field.is_geometry for field in fields):
        table = table.replace_schema_metadata({"geo": msgspec.json.encode(geo).decode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)
    return str(path)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dumps")


@pytest.fixture(scope="session")
def data(folder: Path) -> list[OpenData]:
    """Two months of a garage, its stream, three trees; beside them a month of a dataset that is closed."""
    place = '{"type":"Point","coordinates":[11.5,50.9]}'

    def month(name: str, dataset: str, first: int, hours: int) -> str:
        rows = [("gate~free", first + n * HOUR, None, float(n), None, None, None) for n in range(hours)]
        return write(folder / dataset / f"{name}.parquet", list(PLAIN), rows)

    stream = ("gate~free", "Gate", "free places", "1", "gate", "free", "Gate: free", "feed")
    about = (*stream, MIDNIGHT, MIDNIGHT, 11.5, 50.9, place)
    kinds = ("Acer", "Acer", "Tilia")
    trees = [(f"t{n}", None, None, MIDNIGHT, genus, n, None, place) for n, genus in enumerate(kinds)]
    last = MIDNIGHT + 24 * HOUR
    month("2024-03", "secret", MIDNIGHT, 1)
    said = {"publisher": 'Town\'s "own"', "licence": "CC0-1.0", "licence_url": "https://cc0", "attribution": "Town"}
    return [
        OpenData(
            id="parking-lots", title="Lots'; DROP TABLE x; --", as_of=MIDNIGHT, **said,
            months=[month("2024-03", "parking-lots", MIDNIGHT, 24), month("2024-04", "parking-lots", last, 6)],
            streams=write(folder / "parking-lots" / "streams.parquet", list(STREAMS), [about]),
        ),
        OpenData(
            id="trees", title="Trees", as_of=MIDNIGHT, **said,
            objects={"trees": write(folder / "trees" / "objects-trees.parquet", GREENS, trees)},
        ),
    ]  # fmt: skip


@pytest.fixture
def ask(data: list[OpenData], tmp_path: Path) -> Ask:
    """Ask a question; the limits may be others."""

    def call(query: str, known: list[OpenData] | None = None, **limits: float) -> Answer | Trouble:
        known = data if known is None else known
        return run(
            query, views=[each.statement for each in views(known)], files=files_of(known), zone="Europe/Berlin",
            limits=msgspec.structs.replace(LIMITS, **limits), folder=tmp_path,
        )  # fmt: skip

    return call
