"""The names, arguments and words of the commands about the register of addresses."""

from typing import Annotated

import typer

addresses = typer.Typer(help="The register of addresses that the map is searched by.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]


@addresses.command("import")
def addresses_import(
    file: Annotated[
        str,
        typer.Argument(
            help="CSV or TSV, also packed by gzip: columns are known by their names (street, number, lon, lat, …); "
            "without a header they are street, number, postcode, lon, lat."
        ),
    ],
    source: Annotated[str, typer.Option("--source", help="Who made the register, as it has to be named.")],
    licence: Annotated[str, typer.Option("--licence", help="Its licence; both stand beside the search.")],
    crs: Annotated[
        str, typer.Option("--crs", help="What its coordinates are in, e.g. EPSG:25832 for easting and northing.")
    ] = "EPSG:4326",
    as_json: Json = False,
) -> int:
    """Put a register in place of the one that there was, all of it or nothing. Bad rows are told with their lines."""
    from allmende.web.cli import addresses as module

    return module.import_addresses(file, source, licence, crs, as_json)


@addresses.command("show")
def addresses_show(as_json: Json = False) -> None:
    """Say which register there is."""
    from allmende.web.cli import addresses as module

    module.show_addresses(as_json)


@addresses.command("remove")
def addresses_remove(as_json: Json = False) -> None:
    """Delete the register."""
    from allmende.web.cli import addresses as module

    module.remove_addresses(as_json)
