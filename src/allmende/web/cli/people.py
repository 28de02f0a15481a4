"""``user`` and ``token``: who may do what."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from allmende.domain.errors import Conflict, InvalidInput, NotFound
from allmende.web.cli.opened import actor, open_house
from allmende.web.cli.output import iso, print_json, print_table


def add_user(name: str, email: str, admin: bool, password_file: Path | None, as_json: bool) -> None:
    """A new account. Raises Conflict for a name that is taken, InvalidInput for a password that is too weak."""
    open_house()
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.db import transaction
    from django.utils import translation

    from allmende.web.accounts.audit import record
    from allmende.web.accounts.models import User

    user = User(username=User.normalize_username(name), email=email, is_staff=admin, is_superuser=admin)
    if User.objects.filter(username=user.username).exists():
        raise Conflict(f'there is a user "{user.username}" already')
    password = _password(password_file)
    try:
        with translation.override("en"):  # the command speaks English, whatever the city speaks
            validate_password(password, user)
            user.set_password(password)
            user.full_clean()
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from None
    with transaction.atomic():
        user.save()
        record(actor(), "user.add", f"user:{user.username}", admin=admin)
    if as_json:
        print_json({"name": user.username, "admin": admin})
    else:
        print(f"{user.username} has an account{' and looks after the house' if admin else ''}.")


def list_users(as_json: bool) -> None:
    """All accounts."""
    open_house()
    from allmende.web.accounts.models import User

    listed = [
        {"name": u.username, "email": u.email, "admin": u.is_superuser, "last_login": iso(u.last_login)}
        for u in User.objects.order_by("username")
    ]
    if as_json:
        print_json(listed)
    else:
        rows = [[u["name"], u["email"], "yes" if u["admin"] else "", u["last_login"]] for u in listed]
        print_table(("name", "email", "admin", "last login"), rows)


def remove_user(name: str, as_json: bool) -> None:
    """Delete an account with its personal data and its tokens. Raises NotFound."""
    open_house()
    from django.db import transaction

    from allmende.web.accounts.audit import record
    from allmende.web.accounts.models import User

    with transaction.atomic():
        user = User.objects.filter(username=name).first()
        if user is None:
            raise NotFound(f'there is no user "{name}"; `allmende user list` names them')
        user.delete()
        record(actor(), "user.remove", f"user:{name}")
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        print(f"The account {name} and its tokens are deleted.")


def _password(file: Path | None) -> str:
    """From a file, from the terminal unseen, or from standard input; never from the command line, which all can see."""
    if file is not None:
        try:
            return file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise NotFound(f"the password cannot be read: {error}", where=str(file)) from None
    if sys.stdin.isatty():
        import getpass

        password = getpass.getpass("Password: ")
        if getpass.getpass("The same again: ") != password:
            raise InvalidInput("the two passwords are not the same")
        return password
    return sys.stdin.readline().rstrip("\r\n")


def create_token(name: str, write: bool, datasets: list[str], days: int | None, user_name: str, as_json: bool) -> None:
    """A new token, shown this once."""
    house = open_house()
    from django.utils import timezone

    from allmende.web.accounts.models import User
    from allmende.web.accounts.tokens import create_token as create

    for dataset in datasets:
        if dataset not in house.profile.datasets:
            raise NotFound(f'there is no dataset "{dataset}"; there are {", ".join(house.profile.datasets) or "none"}')
    user = None
    if user_name:
        user = User.objects.filter(username=user_name).first()
        if user is None:
            raise NotFound(f'there is no user "{user_name}"; `allmende user list` names them')
    expires = timezone.now() + timedelta(days=days) if days else None
    token, secret = create(name, actor=actor(), may_write=write, datasets=datasets, user=user, expires=expires)
    if as_json:
        print_json({**_plain(token), "token": secret})
        return
    print(secret)
    print("It is shown this once; the house keeps no copy of it.", file=sys.stderr)


def list_tokens(as_json: bool) -> None:
    """All tokens, without their secrets."""
    open_house()
    from allmende.web.accounts.models import Token

    listed = [_plain(token) for token in Token.objects.select_related("user")]
    if as_json:
        print_json(listed)
        return
    columns = ("name", "write", "datasets", "user", "created", "expires", "last_used", "revoked")
    rows = [[_cell(token[column]) for column in columns] for token in listed]
    print_table([column.replace("_", " ") for column in columns], rows)


def revoke_token(name: str, as_json: bool) -> None:
    """End a token at once. Raises NotFound."""
    open_house()
    from allmende.web.accounts.tokens import revoke_token as revoke

    token = revoke(name, actor=actor())
    if as_json:
        print_json(_plain(token))
    else:
        print(f"The token {name} opens nothing any more.")


def _plain(token: Any) -> dict[str, Any]:
    return {
        "name": token.name,
        "write": token.may_write,
        "datasets": token.datasets,
        "user": token.user.username if token.user else None,
        "created": iso(token.created),
        "expires": iso(token.expires),
        "last_used": iso(token.last_used),
        "revoked": iso(token.revoked),
    }


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)
