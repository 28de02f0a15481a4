"""The names, arguments and words of the commands about people and programs."""

from pathlib import Path
from typing import Annotated

import typer

user = typer.Typer(help="Accounts of people, and what they may do.", no_args_is_help=True)
organisation = typer.Typer(help="Those whom people act for.", no_args_is_help=True)
token = typer.Typer(help="Keys for programs.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]
Name = Annotated[str, typer.Argument(help="As `user list` gives it.")]
Organisation = Annotated[str, typer.Argument(metavar="ID", help="Letters, digits, - and _.")]


@user.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="To log in with.")],
    email: Annotated[str, typer.Option("--email", help="To reach the person about the account.")] = "",
    role: Annotated[
        str, typer.Option("--role", help="reader, contributor, editor, steward or administrator.")
    ] = "contributor",
    admin: Annotated[bool, typer.Option("--admin", help="The same as --role administrator.")] = False,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="Holds the password; else it is asked for, or read from standard input."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an account."""
    from allmende.web.cli import people

    people.add_user(name, email, "administrator" if admin else role, password_file, as_json)


@user.command("list")
def user_list(as_json: Json = False) -> None:
    """All accounts."""
    from allmende.web.cli import people

    people.list_users(as_json)


@user.command("role")
def user_role(
    name: Name,
    role: Annotated[
        str,
        typer.Argument(help="reader, contributor, editor, steward or administrator; none ends one in an organisation."),
    ],
    organisation: Annotated[
        str, typer.Option("--organisation", help="In this organisation alone; else in the whole house.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Say what somebody may do, instead of what they might before."""
    from allmende.web.cli import people

    people.set_role(name, role, organisation, as_json)


@user.command("invite")
def user_invite(
    role: Annotated[str, typer.Option("--role", help="What the person will be.")] = "contributor",
    organisation: Annotated[str, typer.Option("--organisation", help="In this organisation alone.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="The link ends after so many days.")] = 14,
    as_json: Json = False,
) -> None:
    """Make a link with which one person makes an account; it is shown once (ALLMENDE_REGISTRATION)."""
    from allmende.web.cli import people

    people.invite(role, organisation, days, as_json)


@user.command("open")
def user_open(name: Name, as_json: Json = False) -> None:
    """Open an account that somebody made for themselves and that waits, or one that was closed."""
    from allmende.web.cli import people

    people.open_user(name, as_json)


@user.command("close")
def user_close(name: Name, as_json: Json = False) -> None:
    """Close an account: nothing of it opens anything until it is opened again."""
    from allmende.web.cli import people

    people.close_user(name, as_json)


@user.command("password")
def user_password(
    name: Name,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="Holds the password; else it is asked for, or read from standard input."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Set a new password, and log the person out everywhere."""
    from allmende.web.cli import people

    people.set_password(name, password_file, as_json)


@user.command("forget-factors")
def user_forget_factors(name: Name, as_json: Json = False) -> None:
    """Delete the second factors of somebody who has lost them. Make sure that it is them who ask."""
    from allmende.web.cli import people

    people.forget_factors(name, as_json)


@user.command("remove")
def user_remove(
    name: Name,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what it would reach, place by place, and delete nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete an account and all that leads to the person: tokens, own sensors, grants, orders, what the audit log says.

    What is left, and until when backups hold the rest, is said at the end.
    """
    from allmende.web.cli import people

    people.remove_user(name, preview, as_json)


@organisation.command("add")
def organisation_add(
    id_: Organisation,
    title: Annotated[str, typer.Option("--title", help="How it is called; else like its id.")] = "",
    as_json: Json = False,
) -> None:
    """Make an organisation, whose people may get roles of their own in it."""
    from allmende.web.cli import people

    people.add_organisation(id_, title, as_json)


@organisation.command("list")
def organisation_list(as_json: Json = False) -> None:
    """All organisations with their people."""
    from allmende.web.cli import people

    people.list_organisations(as_json)


@organisation.command("remove")
def organisation_remove(id_: Organisation, as_json: Json = False) -> None:
    """Delete an organisation and the roles in it; its people keep their accounts."""
    from allmende.web.cli import people

    people.remove_organisation(id_, as_json)


@token.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="What it is for; tells tokens apart.")],
    write: Annotated[bool, typer.Option("--write/--read", help="May write, or only read.")] = False,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            help="May read this dataset, though it is not open; with --write, also write to it. Repeatable.",
        ),
    ] = None,
    write_to: Annotated[
        list[str] | None,
        typer.Option(
            "--write-to", help="May write to this dataset, and to the commons; instead of --write. Repeatable."
        ),
    ] = None,
    publish: Annotated[
        bool | None,
        typer.Option("--publish/--no-publish", help="Devices may send by MQTT with it; as --write, if not given."),
    ] = None,
    days: Annotated[int | None, typer.Option("--days", min=1, max=3650, help="Ends after so many days.")] = None,
    user: Annotated[str, typer.Option("--user", help="Who answers for it; it ends with their account.")] = "",
    as_json: Json = False,
) -> None:
    """Make a token. It is shown once."""
    from allmende.web.cli import people

    scopes = people.Scopes(write=write, reads=dataset or [], writes=write_to or [], publishes=publish)
    people.create_token(name, scopes, days, user, as_json)


@token.command("list")
def token_list(as_json: Json = False) -> None:
    """All tokens, without their secrets."""
    from allmende.web.cli import people

    people.list_tokens(as_json)


@token.command("revoke")
def token_revoke(name: Annotated[str, typer.Argument(help="As `token list` gives it.")], as_json: Json = False) -> None:
    """End a token at once."""
    from allmende.web.cli import people

    people.revoke_token(name, as_json)


@token.command("passwords")
def token_passwords(
    file: Annotated[Path, typer.Argument(help="Written anew as a whole; owner and mode are kept.")],
    as_json: Json = False,
) -> None:
    """Write the valid tokens that publish as a password file of Mosquitto: the token's name and the token."""
    from allmende.web.cli import people

    people.write_passwords(file, as_json)
