"""The names, arguments and words of the commands that write data to files."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]


def dump(
    datasets: Annotated[list[str] | None, typer.Argument(help="Ids of open datasets; none: all of them.")] = None,
    as_json: Json = False,
) -> int:
    """Make the dumps of open data now, as the worker does at night. What did not change is not made again."""
    from allmende.web.cli import files

    return files.dump(datasets or [], as_json)


def export(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset, open or not.")],
    file: Annotated[Path, typer.Argument(help="A new file; nothing is overwritten.")],
    format_: Annotated[str, typer.Option("--format", help="csv-de, csv, xlsx, parquet, geojson or gpkg.")] = "csv",
    start: Annotated[str, typer.Option("--from", help="A day of the city, a month, a year, or an instant.")] = "",
    end: Annotated[str, typer.Option("--to", help="The same; it is included.")] = "",
    streams: Annotated[list[str] | None, typer.Option("--stream", help="Of these streams; * is anything.")] = None,
    properties: Annotated[list[str] | None, typer.Option("--property", help="Of these observed properties.")] = None,
    columns: Annotated[list[str] | None, typer.Option("--column", help="These columns alone.")] = None,
    bbox: Annotated[str, typer.Option("--bbox", help="West,south,east,north in degrees.")] = "",
    bucket: Annotated[str, typer.Option("--bucket", help="Summed up over this length: PT1H, P1D, P1M.")] = "",
    collection: Annotated[str, typer.Option("--collection", help="Objects of this collection.")] = "",
    as_json: Json = False,
) -> None:
    """Write a selection to a file, with licence and provenance inside. Reads what the operator may: all there is."""
    from allmende.web.cli import files

    lists = {"streams": streams, "properties": properties, "columns": columns}
    texts = {"start": start, "end": end, "bbox": bbox, "bucket": bucket, "collection": collection}
    said = {"dataset": dataset, **{name: value for name, value in {**lists, **texts}.items() if value}}
    files.export(said, format_, file, as_json)
