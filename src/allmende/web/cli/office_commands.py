"""The names, arguments and words of the commands about what was released in the back office."""

from pathlib import Path
from typing import Annotated

import typer

office = typer.Typer(help="What was changed of the profile in the browser.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]


@office.command("list")
def office_list(as_json: Json = False) -> None:
    """Show what is in force over the profile's folder, and what waits."""
    from allmende.web.cli import office as module

    module.list_revisions(as_json)


@office.command("undo")
def office_undo(
    kind: Annotated[str, typer.Argument(help="dataset, source, retention, thing, rule or groups.")],
    key: Annotated[str, typer.Argument(help="Its id.")],
    to: Annotated[int | None, typer.Option("--to", help="Number of a revision; 0: as in the folder.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="For those who look at the history.")] = "",
    as_json: Json = False,
) -> None:
    """Take back what is in force: as it was before. Works where the profile is wrong by it, too."""
    from allmende.web.cli import office as module

    module.undo(kind, key, to, reason, as_json)


@office.command("export")
def office_export(
    folder: Annotated[Path, typer.Argument(help="A folder that there is not yet, or an empty one.")],
    as_json: Json = False,
) -> None:
    """Write the profile as it is in force as a folder, for another house or another city."""
    from allmende.web.cli import office as module

    module.export(folder, as_json)
