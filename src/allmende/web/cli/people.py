"""``user``, ``organisation`` and ``token``: who may do what."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from allmende.domain.errors import Conflict, InvalidInput, NotFound
from allmende.web.cli.opened import actor, open_house
from allmende.web.cli.output import iso, print_json, print_table


def add_user(name: str, email: str, role: str, password_file: Path | None, as_json: bool) -> None:
    """A new account. Raises Conflict for a name that is taken, InvalidInput for a password that is too weak, and for
    a role that there is not."""
    open_house()
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.db import transaction
    from django.utils import translation

    from allmende.web.accounts.audit import record
    from allmende.web.accounts.models import User
    from allmende.web.accounts.people import give_role
    from allmende.web.accounts.roles import ROLES

    if role not in ROLES:
        raise InvalidInput(f'"{role}" is no role; there are {", ".join(ROLES)}')
    user = User(username=User.normalize_username(name), email=email)
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
        record(actor(), "user.add", f"user:{user.username}")
        give_role(user, role, actor=actor())
    if as_json:
        print_json({"name": user.username, "role": role})
    else:
        print(f"{user.username} has an account, as {role}.")


def list_users(as_json: bool) -> None:
    """All accounts."""
    open_house()
    from allmende.web.accounts.models import User
    from allmende.web.accounts.roles import role_of

    listed = [
        {
            "name": u.username,
            "email": u.email,
            "role": role_of(u),
            "organisations": {m.organisation_id: m.role for m in u.memberships.all() if m.organisation_id},
            "state": "waits" if u.waits else "open" if u.is_active else "closed",
            "last_login": iso(u.last_login),
        }
        for u in User.objects.order_by("username").prefetch_related("memberships")
    ]
    if as_json:
        print_json(listed)
        return
    rows = [
        [
            u["name"],
            u["email"],
            u["role"] if u["state"] == "open" else u["state"],
            _pairs(u["organisations"]),
            u["last_login"],
        ]
        for u in listed
    ]
    print_table(("name", "email", "role", "organisations", "last login"), rows)


def _pairs(roles: dict[str, str]) -> str:
    return ", ".join(f"{role} of {organisation}" for organisation, role in sorted(roles.items()))


def set_role(name: str, role: str, organisation_id: str, as_json: bool) -> None:
    """Make somebody something else; "none" ends what they are in an organisation. Raises NotFound, InvalidInput."""
    open_house()
    from allmende.web.accounts import people

    user = people.find_user(name)
    organisation = people.find_organisation(organisation_id) if organisation_id else None
    if role == "none" and organisation is not None:
        people.take_role(user, organisation, actor=actor())
    else:
        people.give_role(user, role, actor=actor(), organisation=organisation)
    where = f"of {organisation_id}" if organisation_id else "in the house"
    _told(
        {"name": name, "role": role, "organisation": organisation_id or None}, f"{name} is {role} {where} now.", as_json
    )


def open_user(name: str, as_json: bool) -> None:
    """Open an account that waits for it, or that was closed. Raises NotFound."""
    open_house()
    from allmende.web.accounts import people

    people.open_user(people.find_user(name), actor=actor())
    _told({"name": name, "open": True}, f"The account {name} is open.", as_json)


def close_user(name: str, as_json: bool) -> None:
    """Close an account with its tokens and sessions. Raises NotFound, Conflict for the last administrator."""
    open_house()
    from allmende.web.accounts import people

    people.close_user(people.find_user(name), actor=actor())
    _told({"name": name, "open": False}, f"The account {name} and its tokens open nothing any more.", as_json)


def set_password(name: str, password_file: Path | None, as_json: bool) -> None:
    """Set a new password and end all sessions. Raises NotFound, InvalidInput for one that is too weak."""
    open_house()
    from allmende.web.accounts import people

    people.set_password(people.find_user(name), _password(password_file), actor=actor())
    _told({"name": name, "password": "set"}, f"{name} has a new password and is logged out everywhere.", as_json)


def forget_factors(name: str, as_json: bool) -> None:
    """Delete passkeys, app codes and recovery codes of somebody who has lost them. Raises NotFound."""
    open_house()
    from allmende.web.accounts import people

    gone = people.forget_factors(people.find_user(name), actor=actor())
    words = f"{name} has no second factor any more ({gone} deleted) and logs in with the password alone."
    _told({"name": name, "deleted": gone}, words, as_json)


def invite(role: str, organisation_id: str, days: int, as_json: bool) -> None:
    """A link with which one person makes an account. Raises InvalidInput, NotFound, Conflict where registration is
    closed."""
    house = open_house()
    from allmende.web.accounts import enrolment, people

    if house.config.registration == "closed":
        raise Conflict("registration is closed; set ALLMENDE_REGISTRATION=invited")
    organisation = people.find_organisation(organisation_id) if organisation_id else None
    secret = enrolment.invite(role, actor=actor(), days=days, organisation=organisation)
    link = f"{(house.config.public_url or house.config.url).rstrip('/')}/accounts/invitation/{secret}/"
    _told({"link": link, "days": days}, link, as_json)


def _told(value: dict[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        print(words)


def remove_user(name: str, preview: bool, as_json: bool) -> None:
    """Erase an account and all that leads to the person. Raises NotFound, Conflict for the last administrator."""
    open_house()
    from django.utils.translation import override

    from allmende.web.accounts import people
    from allmende.web.persons.erasing import backups_until, erase_account
    from allmende.web.persons.reach import look, subject_of

    user = people.find_user(name)
    if preview:
        with override("en"):
            found = [{key: str(each[key]) for key in ("place", "title", "fate")} | {"count": each["count"]}
                     for each in look(subject_of(user))]  # fmt: skip
        if as_json:
            print_json(found)
        else:
            print_table(("what", "records", "becomes"), [[f["title"], f["count"], f["fate"]] for f in found])
        return
    done = erase_account(user, actor=actor())
    until = backups_until().isoformat()
    if as_json:
        kept = [{"place": each.place, "what": each.what, "why": each.why} for each in done.kept]
        print_json({"name": name, "removed": True, "found": done.found, "kept": kept, "backups_until": until})
        return
    print(f"The account {name} and all that leads to the person are deleted.")
    for each in done.kept:
        print(f"Kept without the name ({each.place}): {each.what}")
    print(f"Backups hold it until {until}; one that is restored before forgets it again.")


def add_organisation(id_: str, title: str, as_json: bool) -> None:
    """A new organisation. Raises Conflict, InvalidInput."""
    open_house()
    from allmende.web.accounts import people

    made = people.add_organisation(id_, title or id_, actor=actor())
    words = f"There is an organisation {made.pk} now; `allmende user role NAME ROLE --organisation {made.pk}`."
    _told({"id": made.pk, "title": made.title}, words, as_json)


def list_organisations(as_json: bool) -> None:
    """All organisations with their people."""
    open_house()
    from allmende.web.accounts.models import Organisation

    listed = [
        {"id": o.pk, "title": o.title, "people": {m.user.get_username(): m.role for m in o.memberships.all()}}
        for o in Organisation.objects.prefetch_related("memberships__user")
    ]
    if as_json:
        print_json(listed)
        return
    rows = [[o["id"], o["title"], ", ".join(f"{n} ({r})" for n, r in sorted(o["people"].items()))] for o in listed]
    print_table(("id", "title", "people"), rows)


def remove_organisation(id_: str, as_json: bool) -> None:
    """Delete an organisation and the roles in it. Raises NotFound."""
    open_house()
    from allmende.web.accounts import people

    people.remove_organisation(people.find_organisation(id_), actor=actor())
    words = f"The organisation {id_} is deleted; its people keep their accounts."
    _told({"id": id_, "removed": True}, words, as_json)


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


class Scopes(msgspec.Struct, frozen=True, kw_only=True):
    """What a token may, as it is given on the command line."""

    write: bool = False
    reads: list[str] = []
    writes: list[str] = []
    publishes: bool | None = None


def create_token(name: str, scopes: Scopes, days: int | None, user_name: str, as_json: bool) -> None:
    """A new token, shown this once."""
    house = open_house()
    from django.utils import timezone

    from allmende.web.accounts.people import find_user
    from allmende.web.accounts.tokens import create_token as create

    for dataset in (*scopes.reads, *scopes.writes):
        if dataset not in house.profile.datasets:
            raise NotFound(f'there is no dataset "{dataset}"; there are {", ".join(house.profile.datasets) or "none"}')
    user = find_user(user_name) if user_name else None
    expires = timezone.now() + timedelta(days=days) if days else None
    token, secret = create(
        name,
        actor=actor(),
        may_write=scopes.write or bool(scopes.writes),
        datasets=scopes.reads,
        writes=scopes.writes or None,
        publishes=scopes.publishes,
        user=user,
        expires=expires,
    )
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
    columns = ("name", "write", "datasets", "writes", "publishes", "user", "created", "expires", "last_used", "revoked")
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


def write_passwords(file: Path, as_json: bool) -> None:
    """Valid tokens that publish, as a password file of Mosquitto. Raises InvalidInput."""
    open_house()
    from django.utils import timezone

    from allmende.web.accounts.models import Token
    from allmende.web.accounts.mosquitto import write_passwords as write
    from allmende.web.accounts.tokens import may_publish

    now = timezone.now()
    tokens = [t for t in Token.objects.select_related("user") if t.is_valid(now) and t.broker_hash and may_publish(t)]
    left_out = write(file, [(token.name, token.broker_hash) for token in tokens])
    for name in left_out:
        print(f"allmende: {name!r} cannot be a name in this file; make a token of another name", file=sys.stderr)
    count = len(tokens) - len(left_out)
    _told({"written": count, "left_out": left_out}, f"{count} tokens are written; let Mosquitto read them.", as_json)


def _plain(token: Any) -> dict[str, Any]:
    return {
        "name": token.name,
        "write": token.may_write,
        "datasets": token.datasets,
        "writes": token.writes,
        "publishes": token.publishes,
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
