"""``addresses``: take over a register of addresses, say which there is, delete it."""

import sys
from pathlib import Path

from allmende.domain.errors import InvalidInput, NotFound
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.opened import actor, open_house
from allmende.web.cli.output import print_json

_SHOWN = 50
"""Faults that are told one by one on a terminal."""


def import_addresses(file: str, source: str, licence: str, crs: str, as_json: bool) -> int:
    """Gives the exit code; some bad rows among good ones are no failure."""
    path = Path(file)
    if not path.is_file():
        raise NotFound(f"there is no such file: {file}")
    if not source.strip() or not licence.strip():
        raise InvalidInput("say whose register it is and under which licence: --source and --licence")
    open_house()
    from django.db import transaction

    from allmende.web.accounts.audit import record
    from allmende.web.maps.register import import_register

    with transaction.atomic():
        done = import_register(
            path.read_bytes(), file=path.name, source=source.strip()[:500], licence=licence.strip()[:300], crs=crs
        )
        record(actor(), "import", "addresses", file=path.name, count=done.register.count, faults=len(done.faults))
    if as_json:
        faults = [{"line": fault.line, "reason": fault.reason} for fault in done.faults]
        print_json({"addresses": done.register.count, "faults": faults})
        return int(ExitCode.OK)
    print(f"{done.register.count:,} addresses taken over; {len(done.faults):,} rows could not be taken.")
    for fault in done.faults[:_SHOWN]:
        print(f"{path.name}, line {fault.line}: {fault.reason}", file=sys.stderr)
    if len(done.faults) > _SHOWN:
        print(f"… and {len(done.faults) - _SHOWN:,} more (--json tells all)", file=sys.stderr)
    return int(ExitCode.OK)


def show_addresses(as_json: bool) -> None:
    """The register that holds."""
    open_house()
    from allmende.web.maps.register import current_register

    known = current_register()
    if as_json:
        told = None
        if known is not None:
            told = {
                "addresses": known.count,
                "file": known.file,
                "source": known.source,
                "licence": known.licence,
                "imported": known.imported.isoformat(),
            }
        print_json(told)
    elif known is None:
        print("There is no register yet; `allmende addresses import FILE` takes one over.")
    else:
        print(f"{known.count:,} addresses from {known.file}, taken over on {known.imported:%Y-%m-%d}")
        print(f"Source: {known.source}\nLicence: {known.licence}")


def remove_addresses(as_json: bool) -> None:
    """Delete it."""
    open_house()
    from django.db import transaction

    from allmende.web.accounts.audit import record
    from allmende.web.maps.register import drop_register

    with transaction.atomic():
        gone = drop_register()
        record(actor(), "delete", "addresses", count=gone)
    if as_json:
        print_json({"deleted": gone})
    else:
        print(f"{gone:,} addresses deleted")
