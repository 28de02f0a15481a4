"""``allmende service …``: the city's services and how their jobs fare; making one, and looking at its shape."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]
service = typer.Typer(help="Services: see them, make one, check one.", no_args_is_help=True)


@service.command("list")
def service_list(as_json: Json = False) -> None:
    """Say which services the city has, and of each job when it ran last and how."""
    from allmende.web.cli.services import list_services

    list_services(as_json)


@service.command("new")
def service_new(
    name: Annotated[str, typer.Argument(help="The service's name, e.g. park_benches.")],
    folder: Annotated[Path, typer.Option("--in", help="Where the package's folder is made.")] = Path(),
    ours: Annotated[bool, typer.Option("--ours", help="Into the checkout of this house that --in names.")] = False,
    as_json: Json = False,
) -> None:
    """Make the package of a service: complete, with pages, texts, data, a job and tests that pass."""
    from allmende.web.cli.services import new_service

    new_service(name, folder, ours, as_json)


@service.command("check")
def service_check(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Of these alone.")] = None,
    as_json: Json = False,
) -> int:
    """Say whether services have their shape: parts, texts, names of addresses, notes of writes, personal data."""
    from allmende.web.cli.services import check_services

    return check_services(names or [], as_json)
