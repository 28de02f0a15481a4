"""``backup`` and ``restore``: the whole house in one file."""

from pathlib import Path

from allmende.web.cli.opened import actor, open_house
from allmende.web.cli.output import Progress, print_json, printable


def backup(file: Path, prune: bool, as_json: bool) -> None:
    """Write the house to a file; with ``prune``, delete those beside it whose time is over."""
    house = open_house()
    from allmende.web.accounts.audit import record
    from allmende.web.backup import prune_backups, write_backup

    told = Progress(quiet=as_json)
    try:
        outcome = write_backup(file.absolute(), house.profile.id, told)
    finally:
        told.end()
    record(actor(), "backup", f"rows:{outcome.rows}")
    days = house.config.backup_kept_days
    gone = prune_backups(file.absolute().parent, house.profile.id, days) if prune else []
    if gone:
        record(actor(), "backup.prune", f"files:{len(gone)}", days=days)
    size = file.stat().st_size
    if as_json:
        print_json(
            {"file": str(file), "bytes": size, "rows": outcome.rows, "tables": outcome.tables,
             "left_out": outcome.left_out, "pruned": [str(path) for path in gone]}
        )  # fmt: skip
        return
    print(f"{file}: {outcome.rows:,} rows, {size / 2**20:,.1f} MiB.")
    for path in gone:
        print(f"{path} was older than {days} days, and is deleted.")
    print(f"Not in it: {'; '.join(outcome.left_out)}.")


def restore(file: Path, replace: bool, as_json: bool) -> None:
    """Put a backup into this house."""
    house = open_house()
    from allmende.web.backup import restore as put_back

    told = Progress(quiet=as_json)
    try:
        outcome = put_back(file.absolute(), house.profile.id, replace=replace, actor=actor(), progress=told)
    finally:
        told.end()
    header = outcome.header
    if as_json:
        print_json(
            {"rows": outcome.rows, "tables": outcome.tables, "taken": header.taken, "version": header.version,
             "engine": header.engine, "erased_again": outcome.forgotten, "left_out": outcome.left_out}
        )  # fmt: skip
        return
    print(f"{outcome.rows:,} rows are back, as they were on {printable(header.taken)}.")
    if outcome.forgotten:
        print(f"{outcome.forgotten:,} records of people were erased after that, and are erased again.")
    print(f"Not among them: {printable('; '.join(outcome.left_out))}.")
