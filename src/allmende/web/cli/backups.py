"""``backup`` and ``restore``: the whole house in one file."""

import sys
import time
from pathlib import Path

from allmende.web.cli.opened import actor, open_house
from allmende.web.cli.output import print_json, printable

_TOLD_SECONDS = 0.2


class _Told:
    """Says on a terminal how far it is."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._last = 0.0

    def __call__(self, table: str, rows: int) -> None:
        now = time.monotonic()
        if not self._quiet and now - self._last > _TOLD_SECONDS:
            self._last = now
            sys.stderr.write(f"\r\x1b[K{table}: {rows:,}")
            sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if not self._quiet:
            sys.stderr.write("\r\x1b[K")


def backup(file: Path, as_json: bool) -> None:
    """Write the house to a file."""
    house = open_house()
    from allmende.web.accounts.audit import record
    from allmende.web.backup import write_backup

    told = _Told(as_json)
    try:
        outcome = write_backup(file.absolute(), house.profile.id, told)
    finally:
        told.end()
    record(actor(), "backup", f"rows:{outcome.rows}")
    size = file.stat().st_size
    if as_json:
        print_json(
            {"file": str(file), "bytes": size, "rows": outcome.rows, "tables": outcome.tables,
             "left_out": outcome.left_out}
        )  # fmt: skip
        return
    print(f"{file}: {outcome.rows:,} rows, {size / 2**20:,.1f} MiB.")
    print(f"Not in it: {'; '.join(outcome.left_out)}.")


def restore(file: Path, replace: bool, as_json: bool) -> None:
    """Put a backup into this house."""
    house = open_house()
    from allmende.web.backup import restore as put_back

    told = _Told(as_json)
    try:
        outcome = put_back(file.absolute(), house.profile.id, replace=replace, actor=actor(), progress=told)
    finally:
        told.end()
    header = outcome.header
    if as_json:
        print_json(
            {"rows": outcome.rows, "tables": outcome.tables, "taken": header.taken, "version": header.version,
             "engine": header.engine, "left_out": outcome.left_out}
        )  # fmt: skip
        return
    print(f"{outcome.rows:,} rows are back, as they were on {printable(header.taken)}.")
    print(f"Not among them: {printable('; '.join(outcome.left_out))}.")
