"""Makes the file of a selection."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from allmende.domain.errors import NotFound
from allmende.domain.selection import Selection
from allmende.faces.files import readings
from allmende.faces.files.about import About
from allmende.faces.files.fields import READINGS, SUMS, Batch, Field, choose
from allmende.faces.files.formats import FileFormat
from allmende.faces.files.objects import object_fields, objects
from allmende.faces.files.readings import Source
from allmende.faces.files.writer import Writer

Tell = Callable[[int], None]
"""Is told after each batch how many rows there are; whatever it raises ends the making."""
BATCH = 10_000


def make_file(source: Source, said: About, format_: FileFormat, path: Path, tell: Tell) -> int:
    """Write the file of ``said.selection``; gives its rows. Raises NotFound for a collection that the reader may not
    see, and InvalidInput for columns that there are not. What is not whole is left to who named the path."""
    fields, batches = _rows(source, said.selection)
    places = choose(fields, said.selection.columns, geometry=format_.geometry or bool(said.selection.collection))
    fields = [fields[place] for place in places]
    writer = format_.open(path, said, fields)
    return write_all(writer, _picked(batches, places), tell)


def write_all(writer: Writer, batches: Iterator[Batch], tell: Tell) -> int:
    """Write all that comes, and close; gives the rows."""
    rows = 0
    try:
        for batch in gathered(batches):
            writer.write(batch)
            rows += batch.rows
            tell(rows)
    except BaseException:
        writer.drop()
        raise
    writer.close()
    tell(rows)
    return rows


def gathered(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Small batches together: of thousands of streams that each have a few rows."""
    waiting: list[Batch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.rows
        if rows >= BATCH:
            yield _together(waiting, rows)
            waiting, rows = [], 0
    if rows:
        yield _together(waiting, rows)


def _together(batches: Sequence[Batch], rows: int) -> Batch:
    if len(batches) == 1:
        return batches[0]
    columns = zip(*(batch.columns for batch in batches), strict=True)
    return Batch([[value for part in column for value in part] for column in columns], rows)


def _rows(source: Source, selection: Selection) -> tuple[Sequence[Field], Iterator[Batch]]:
    if not selection.collection:
        if selection.bucket:
            return SUMS, readings.sums(source, selection)
        return READINGS, readings.readings(source, selection)
    for kept in source.store.collections(source.reader, simulated=source.simulated):
        if kept.id == selection.collection and kept.dataset == selection.dataset:
            fields = object_fields(source, selection, kept)
            return fields, objects(source, selection, fields)
    raise NotFound(f"there is no collection {selection.collection!r} in this dataset", where="collection")


def _picked(batches: Iterator[Batch], places: Sequence[int]) -> Iterator[Batch]:
    for batch in batches:
        yield Batch([batch.columns[place] for place in places], batch.rows)
