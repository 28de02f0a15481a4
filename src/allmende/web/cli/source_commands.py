"""``allmende source …``: make a connector, try a source."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]
source = typer.Typer(help="Connectors: make one, try one.", no_args_is_help=True)


@source.command("new")
def source_new(
    name: Annotated[str, typer.Argument(help="The connector's name, e.g. river_gauges.")],
    folder: Annotated[Path, typer.Option("--in", help="Where the package's folder is made.")] = Path(),
    as_json: Json = False,
) -> None:
    """Make the package of a connector: complete, with tests that pass, to be filled with a source."""
    from allmende.web.cli.output import print_json
    from allmende.web.cli.skeleton import make_skeleton

    made = make_skeleton(name, folder)
    if as_json:
        print_json([str(path) for path in made])
        return
    root = made[0].parent
    for path in made:
        print(path)
    print(f"\nNow: pip install -e {root}, pytest {root}, then allmende source try {name} FILE")


@source.command("recognise")
def source_recognise(
    place: Annotated[str, typer.Argument(metavar="FILE|ADDRESS", help="A file, or where it is to be had.")],
    toml: Annotated[bool, typer.Option("--toml", help="Only the proposed table, as city.toml has it.")] = False,
    sheet: Annotated[str, typer.Option("--sheet", help="Of a workbook with several.")] = "",
    layer: Annotated[str, typer.Option("--layer", help="Of a file of objects with several.")] = "",
    as_json: Json = False,
) -> int:
    """Say what a file or an answer seems to be, column by column, and propose the source that reads it."""
    from allmende.web.cli.recognising import recognise_place

    return recognise_place(place, toml, {"sheet": sheet, "layer": layer}, as_json)


@source.command("try")
def source_try(
    name: Annotated[str, typer.Argument(help="A source of the city, or a connector.")],
    file: Annotated[str, typer.Argument(help="Read this instead of asking.")] = "",
    address: Annotated[str, typer.Option("--address", help="Ask there instead.")] = "",
    as_json: Json = False,
) -> int:
    """Ask once and show what would come in: streams, units, times, rejections. Nothing is stored."""
    from allmende.web.cli.trying import try_source

    return try_source(name, address, file, as_json)
