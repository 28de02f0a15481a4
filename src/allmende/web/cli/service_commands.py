"""``allmende service …``: the city's services and how their jobs fare."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]
service = typer.Typer(help="Services: see them and how their jobs fare.", no_args_is_help=True)


@service.command("list")
def service_list(as_json: Json = False) -> None:
    """Say which services the city has, and of each job when it ran last and how."""
    from allmende.web.cli.services import list_services

    list_services(as_json)
