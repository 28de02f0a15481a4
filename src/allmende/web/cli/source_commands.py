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
