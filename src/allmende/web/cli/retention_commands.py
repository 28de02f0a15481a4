"""The names, arguments and words of the commands about retention."""

from typing import Annotated

import typer

retention = typer.Typer(help="How long readings are kept, and how finely.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]


@retention.command("preview")
def retention_preview(as_json: Json = False) -> None:
    """Show what would go by now, by source, rule and stream. Nothing is changed."""
    from allmende.web.cli import retention as module

    module.preview(as_json)


@retention.command("apply")
def retention_apply(as_json: Json = False) -> None:
    """Delete and thin what the rules say, as the worker does once an hour. It cannot be undone: see the preview."""
    from allmende.web.cli import retention as module

    module.apply(as_json)
