"""``audit``: the log, whether it is whole, and erasing what it says of a person."""

import json

from allmende.domain.errors import InvalidInput
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.opened import actor as who
from allmende.web.cli.opened import open_house
from allmende.web.cli.output import iso, print_json, print_table

_ERASABLE = ("user:", "token:")


def list_entries(dataset: str, actor: str, action: str, limit: int, as_json: bool) -> None:
    """The newest that fit."""
    open_house()
    from allmende.web.accounts.listing import fitting

    found = fitting(actor=actor, action=action, object_=f"dataset:{dataset}" if dataset else "")[:limit]
    if as_json:
        print_json(
            [
                {
                    "number": each.pk,
                    "at": iso(each.at),
                    "actor": each.actor,
                    "action": each.action,
                    "object": each.object,
                    "detail": each.detail,
                    "erased": not each.salt,
                }
                for each in found
            ]
        )
        return
    rows = (
        (
            iso(each.at),
            each.actor if each.salt else "(erased)",
            each.action,
            each.object,
            json.dumps(each.detail, ensure_ascii=False) if each.detail else "",
        )
        for each in found
    )
    print_table(("at", "actor", "action", "object", "detail"), rows, wraps=("object",))


def verify_log(known: str, as_json: bool) -> int:
    """Says the first break; gives the exit code."""
    open_house()
    from allmende.web.accounts.verifying import verify

    verdict = verify(known)
    broken = verdict.break_
    if as_json:
        said = None if broken is None else {"entry": broken.entry, "what": broken.what}
        print_json({"whole": broken is None, "held": verdict.entries, "newest": verdict.newest, "break": said})
    elif broken is None:
        print(f"The log is whole: {verdict.entries:,} entries. The newest has the digest")
        print(verdict.newest or "(none yet)")
    else:
        print(f"The log is broken after {verdict.entries:,} entries.")
        print(f"{'' if broken.entry is None else f'Entry {broken.entry}: '}{broken.what}.")
    return int(ExitCode.OK if broken is None else ExitCode.FAILED)


def erase_subject(subject: str, as_json: bool) -> None:
    """Erase, and note that something was erased, but not of whom."""
    open_house()
    from django.db import transaction

    from allmende.web.accounts.audit import record
    from allmende.web.accounts.models import AuditEntry

    if not subject.startswith(_ERASABLE) or subject in _ERASABLE:
        raise InvalidInput(f'"{subject}" is not a person or token: say user:NAME or token:NAME', where="subject")
    with transaction.atomic():
        count = AuditEntry.objects.erase(subject)
        record(who(), "audit.erase", "", entries=count)
    if as_json:
        print_json({"erased": count})
    else:
        print(f"{count:,} entries say no more who it was and what.")
