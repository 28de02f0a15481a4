"""A backup of the whole house into one file, and back: measured data and paperwork, on either engine, from either.

A backup sees one state of all tables and holds nobody up. A restore is one transaction: all of it, or nothing.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from django.apps import apps
from django.db import connection as django
from django.db import models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

import allmende
from allmende.domain.errors import Conflict, InvalidInput
from allmende.storage import bulk
from allmende.storage.archive import Header, Progress, Reader, Table, Writer
from allmende.storage.committer import translated
from allmende.storage.connections import Connection, Engine
from allmende.storage.postgres import PostgresEngine
from allmende.storage.schema import TABLES
from allmende.storage.sqlite import SqliteEngine

SECRETS = "the home's config.toml and secret_key"
_PASSING = {
    "sessions.session": "log-ins (sessions)",
    "worker.lease": "who is the worker at the moment",
    "downloads.order": "files that were ordered",
    "downloads.dump": "dumps, which are made anew",
}
_FURNITURE = {
    "dataset", "origin", "sequence", "follower", "source_state", "contenttypes.contenttype", "auth.permission",
    "accounts.auditentry", "accounts.audithead", "catalogue.description", "catalogue.editionbody",
    "persons.erasedmark",
}  # fmt: skip
"""What a house has that was made and never used."""
_CHUNK = 1000


class Outcome(msgspec.Struct, kw_only=True, frozen=True):
    """What was written or restored."""

    tables: dict[str, int]
    left_out: tuple[str, ...]
    header: Header
    forgotten: int = 0
    """Records that were erased after the backup was taken, and that were erased again."""

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(self.tables.values())


def engine() -> Engine:
    """How the database's connections are treated."""
    return PostgresEngine() if django.vendor == "postgresql" else SqliteEngine()


# --- out ---


def write_backup(path: Path, city: str, progress: Progress | None = None) -> Outcome:
    """Write the house to a new file that its owner alone may read. Raises InvalidInput where there is one already.

    The file has its name when it is whole, and is on the disk then.
    """
    if path.exists():
        raise InvalidInput("there is a file already; choose another name", where=str(path))
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(f"the file cannot be written: {error.strerror}", where=str(path)) from None
    try:
        with os.fdopen(number, "wb") as stream:
            outcome = _write(stream, city, progress)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(path)
    except OSError as error:
        raise InvalidInput(f"the file cannot be written: {error.strerror}", where=str(path)) from None
    finally:
        draft.unlink(missing_ok=True)
    return outcome


def _write(stream: Any, city: str, progress: Progress | None) -> Outcome:
    with snapshot() as connection:
        header = Header(
            version=allmende.__version__,
            engine=connection.dialect.name,
            city=city,
            taken=timezone.now().isoformat(timespec="seconds"),
            newest=bulk.newest_change(connection),
            migrations=applied_migrations(),
            left_out=(SECRETS, *_PASSING.values(), *_unknown(connection)),
        )
        writer = Writer(stream, header)
        for name in reversed(TABLES):
            table = bulk.describe(connection, name)
            writer.table(table, bulk.read_rows(connection, table), progress)
        for model in paperwork():
            columns = tuple(field.attname for field in model._meta.concrete_fields)
            rows = model._base_manager.order_by("pk").values_list(*columns).iterator(_CHUNK)
            writer.table(Table(table=model._meta.label_lower, columns=columns), rows, progress)
        return Outcome(tables=writer.finish(), left_out=header.left_out, header=header)


@contextmanager
def snapshot() -> Iterator[Connection]:
    """A connection that sees one state of the database, for as long as it takes, and waits for no writer."""
    engine_ = engine()
    with translated(engine_):
        django.ensure_connection()
        if django.vendor == "postgresql":
            with transaction.atomic():
                raw: Any = django.connection
                raw.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                raw.execute("SET LOCAL statement_timeout = 0")
                raw.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield engine_.wrap(raw)
            return
        raw = django.connection
        raw.execute("BEGIN DEFERRED")
        try:
            raw.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the state is that of the first look
            yield engine_.wrap(raw)
        finally:
            raw.execute("ROLLBACK")


def paperwork() -> list[type[models.Model]]:
    """All of Django's tables that are kept."""
    found = apps.get_models(include_auto_created=True)
    return [m for m in found if m._meta.managed and not m._meta.proxy and m._meta.label_lower not in _PASSING]


def _unknown(connection: Connection) -> tuple[str, ...]:
    """Tables of services that are switched off, or of other programs."""
    ours = {m._meta.db_table for m in apps.get_models(include_auto_created=True)} | {*TABLES, "django_migrations"}
    return tuple(f"the table {name}" for name in bulk.tables_of(connection) if name not in ours)


def applied_migrations() -> tuple[str, ...]:
    """As ``app.name``, sorted."""
    return tuple(sorted(f"{app}.{name}" for app, name in MigrationRecorder(django).applied_migrations()))


def prune_backups(folder: Path, city: str, days: int) -> list[Path]:
    """Delete backups of this city in a folder that were taken more than so many days ago; gives them. Other files, and
    what cannot be read, are left alone."""
    before = timezone.now() - timedelta(days=days)
    gone = []
    for path in sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")):
        try:
            header = Reader(path).header
        except InvalidInput:
            continue
        if header.city == city and datetime.fromisoformat(header.taken) < before:
            path.unlink(missing_ok=True)
            gone.append(path)
    return gone


# --- in ---


def restore(
    path: Path,
    city: str,
    *,
    replace: bool,
    actor: str,
    progress: Progress | None = None,
) -> Outcome:
    """Put a backup into this house. Raises InvalidInput for a file that is broken or does not fit, Conflict where the
    house holds something already and ``replace`` does not say that it may go. Then nothing has changed."""
    from allmende.web.accounts.audit import record
    from allmende.web.persons.erasing import erase_again
    from allmende.web.persons.marks import keep_marks, known_marks

    reader = Reader(path)
    check_fits(reader.header, city, applied_migrations(), str(path))
    reader.check(None if progress is None else lambda lines: progress("checksum", lines))
    engine_ = engine()
    with translated(engine_), transaction.atomic():
        raw: Any = django.connection
        connection = engine_.wrap(raw)
        if django.vendor == "postgresql":
            raw.execute("SET LOCAL statement_timeout = 0")
        else:
            raw.execute("PRAGMA defer_foreign_keys = ON")
        marks = known_marks()
        held = _what_it_holds(connection)
        if held and not replace:
            raise Conflict(f"this house is not empty: it holds {held}; say --replace to delete all of it first")
        known = {model._meta.label_lower: model for model in paperwork()}
        _empty(connection, list(known.values()))
        counts = {}
        for table, parts in reader.tables():
            load = _loader(connection, table, known, reader.header)
            counts[table.table] = 0
            for rows in parts:
                load(rows)
                counts[table.table] += len(rows)
                if progress is not None:
                    progress(table.table, counts[table.table])
        if counts != reader.counts:
            raise InvalidInput("this backup was changed while it was read; nothing was restored", where=str(path))
        bulk.after_load(connection)
        keep_marks(marks)
        forgotten = erase_again(known_marks())
        record(actor, "restore", f"backup:{reader.header.taken}", replaced=bool(held), erased=forgotten)
    return Outcome(tables=counts, left_out=reader.header.left_out, header=reader.header, forgotten=forgotten)


def check_fits(header: Header, city: str, migrations: tuple[str, ...], where: str) -> None:
    """Raise InvalidInput where a backup is of another city, or of another layout of the database."""
    if header.city != city:
        raise InvalidInput(f'this backup is of the city "{header.city}", this house is of "{city}"', where=where)
    theirs, ours = set(header.migrations), set(migrations)
    if theirs - ours:
        raise InvalidInput(
            f"this backup was made by release {header.version} with more migrations or other services than this house"
            f" has ({', '.join(sorted(theirs - ours))}); use that release and the same services",
            where=where,
        )
    if ours - theirs:
        raise InvalidInput(
            f"this backup was made by release {header.version}, before {', '.join(sorted(ours - theirs))}; restore it"
            " with that release, then start this one, which brings the database up to date",
            where=where,
        )


def _what_it_holds(connection: Connection) -> str:
    held = [name for name in TABLES if name not in _FURNITURE and _any(connection, name)]
    held += [
        m._meta.label_lower for m in paperwork() if m._meta.label_lower not in _FURNITURE and m._base_manager.exists()
    ]
    return ", ".join(held)


def _any(connection: Connection, table: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None  # noqa: S608  one of TABLES


def _empty(connection: Connection, kept: list[type[models.Model]]) -> None:
    bulk.empty(connection)
    passing = [apps.get_model(label) for label in _PASSING if apps.is_installed(_app_of(label))]
    with django.cursor() as cursor:
        if django.vendor == "postgresql":
            names = [django.ops.quote_name(m._meta.db_table) for m in (*kept, *passing)]
            cursor.execute(f"TRUNCATE {', '.join(names)}")
            return
        for model in (*passing, *reversed(kept)):
            name = django.ops.quote_name(model._meta.db_table)
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608  the model's


def _app_of(label: str) -> str:
    name = label.split(".")[0]
    return "django.contrib.sessions" if name == "sessions" else f"allmende.web.{name}"


def _loader(
    connection: Connection, table: Table, known: dict[str, type[models.Model]], header: Header
) -> Callable[[list[Any]], None]:
    model = known.get(table.table)
    if model is None:
        bulk.check_columns(connection, table)
        return lambda rows: bulk.load_rows(connection, table, rows, header.newest)
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    if set(table.columns) != set(by_name):
        raise InvalidInput(f"this backup has other columns for {table.table}")
    fields = [by_name[name] for name in table.columns]
    names = ", ".join(django.ops.quote_name(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {django.ops.quote_name(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608  names of the model

    def load(rows: list[Any]) -> None:
        with django.cursor() as cursor:
            for place in range(0, len(rows), _CHUNK):
                cursor.executemany(statement, [_saved(fields, row) for row in rows[place : place + _CHUNK]])

    return load


def _saved(fields: list[Any], row: list[Any]) -> list[Any]:
    """Values as the engine takes them: times from ISO 8601, bytes from base64."""
    return [
        field.get_db_prep_save(field.to_python(value), connection=django)
        for field, value in zip(fields, row, strict=True)
    ]
