"""The names, arguments and words of the commands about the audit log."""

from typing import Annotated

import typer

audit = typer.Typer(help="Who changed what, and who read what is not open.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]


@audit.command("list")
def audit_list(
    dataset: Annotated[str, typer.Option("--dataset", help="What was done with this dataset, or read of it.")] = "",
    actor: Annotated[str, typer.Option("--actor", help="By this one, e.g. user:anna.")] = "",
    action: Annotated[str, typer.Option("--action", help="This action, e.g. data.read, or all of a kind: grant.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest first."""
    from allmende.web.cli import audit as module

    module.list_entries(dataset, actor, action, limit, as_json)


@audit.command("verify")
def audit_verify(
    known: Annotated[
        str, typer.Option("--known", help="A digest that was written down before, and has to be in the log.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Walk along the whole log: whether anything was changed, taken out, put in or moved. Ends with 1 where it was.

    Write the digest that it says down elsewhere: whoever can write to the database could make a whole new chain.
    """
    from allmende.web.cli import audit as module

    return module.verify_log(known, as_json)


@audit.command("erase")
def audit_erase(
    subject: Annotated[str, typer.Argument(help="user:NAME or token:NAME, as `audit list` says it.")],
    as_json: Json = False,
) -> None:
    """Delete who, what and the details of all entries by somebody or about them; the chain stays whole.

    Backups hold them until they are deleted themselves.
    """
    from allmende.web.cli import audit as module

    module.erase_subject(subject, as_json)
