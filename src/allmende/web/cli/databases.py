"""``database``: how the data is kept, and the layouts of PostgreSQL."""

import re
from typing import Any

from allmende.domain.errors import InvalidInput
from allmende.web.cli.opened import Opened, actor, open_house
from allmende.web.cli.output import Progress, print_json, print_table


def status(as_json: bool) -> None:
    """Say what there is."""
    house = open_house()
    told = _postgres() if house.config.postgres else _sqlite(house)
    if as_json:
        print_json(told)
        return
    print(f"{told['engine']}, layout {told['layout']}, {told['bytes'] / 2**20:,.1f} MiB")
    if told["copy"]:
        copy = told["copy"]
        print(f"A copy into the layout {copy['layout']} ({copy['years']}) was begun: {copy['copied']:,} rows so far.")
    if told["parts"]:
        rows = [(part["name"], part["rows"], part["bytes"] // 1024) for part in told["parts"]]
        print_table(("part", "rows, about", "KiB"), rows, numbers=("rows, about", "KiB"))


def _sqlite(house: Opened) -> dict[str, Any]:
    import sqlite3

    path = house.config.database_path
    log = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    return {
        "engine": f"SQLite {sqlite3.sqlite_version}",
        "layout": "one file",
        "bytes": size,
        "parts": [],
        "copy": None,
    }


def _postgres() -> dict[str, Any]:
    from django.db import connection

    from allmende.storage.layout import layout_of, parts_of, read_work
    from allmende.storage.postgres import PostgresEngine
    from allmende.web.data.connections import DjangoConnections
    from allmende.web.disk import database_bytes

    with DjangoConnections().writing() as raw:
        wrapped = PostgresEngine().wrap(raw)
        work = read_work(wrapped)
        return {
            "engine": f"PostgreSQL {connection.pg_version // 10_000}",  # type: ignore[attr-defined]
            "layout": layout_of(wrapped),
            "bytes": database_bytes(),
            "parts": [part._asdict() for part in parts_of(wrapped)],
            "copy": work
            and {"layout": work.layout, "years": f"{work.first_year}-{work.last_year}", "copied": work.copied},
        }


def change_layout(layout: str, years: str, stop: bool, as_json: bool) -> None:
    """Copy and swap, or give up what was begun."""
    from allmende.storage.layout_sql import LAYOUTS
    from allmende.storage.schema_postgres import FIRST_YEAR, LAST_YEAR

    house = open_house()
    if not house.config.postgres:
        raise InvalidInput("layouts are PostgreSQL's; SQLite keeps everything in one file", where="layout")
    from allmende.web.accounts.audit import record
    from allmende.web.layouts import relayout

    if stop:
        stopped = relayout().stop()
        record(actor(), "layout", "stop")
        if as_json:
            print_json({"stopped": stopped})
        else:
            print("The copy is given up; nothing has changed." if stopped else "No copy was begun.")
        return
    if layout not in LAYOUTS:
        raise InvalidInput(f"{layout!r} is none of {', '.join(LAYOUTS)}", where="layout")
    found = re.fullmatch(r"(\d{1,4})-(\d{1,4})", years or f"{FIRST_YEAR}-{LAST_YEAR}")
    if found is None:
        raise InvalidInput(f"{years!r} are no years; write first and last, e.g. 2015-2035", where="--years")
    first, last = int(found[1]), int(found[2])
    before = _postgres()
    room = sum(part["bytes"] for part in before["parts"])
    if not as_json:
        print(
            f"From {before['layout']} to {layout}: this copies about {room / 2**20:,.0f} MiB, needs as much free room"
        )
        print("on the server's disk, and swaps when all is copied. The house may go on running.")
    told = Progress(quiet=as_json)
    try:
        copied = relayout().run(layout, first, last, told)
    finally:
        told.end()
    record(actor(), "layout", f"{layout} {first}-{last}", rows=copied)
    if as_json:
        print_json({"layout": layout, "years": [first, last], "copied": copied})
    else:
        print(f"Done: {copied:,} rows are in the layout {layout}.")


def recount_streams(as_json: bool) -> None:
    """Look at every stream, and mend what is wrong."""
    open_house()
    from allmende.web.accounts.audit import record
    from allmende.web.layouts import recount

    told = Progress(quiet=as_json)
    try:
        done = recount().run(lambda streams: told("streams", streams))
    finally:
        told.end()
    record(actor(), "recount", "streams", looked=done.streams, mended=len(done.mended))
    if as_json:
        print_json({"streams": done.streams, "mended": done.mended})
        return
    print(f"{done.streams:,} streams were looked at; of {len(done.mended):,} the count was wrong and is right now.")
    for name in done.mended:
        print(f"  {name}")
