"""A private PostgreSQL cluster for the tests, on a socket of its own; started once a process, gone behind it."""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from allmende.storage.postgres import PostgresEngine
from allmende.storage.schema_postgres import POSTGRES
from allmende.storage.schema_spatial import ensure_spatial

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # a test's cluster has nothing to keep
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "shared_buffers": "128MB",
    "jit": "off",  # as web sets it: questions here are small, compiling them takes longer than answering
}


_SHAPE = """
SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
  SELECT concat_ws(' ', 'class', c.relname, c.relkind, pg_get_expr(c.relpartbound, c.oid)) AS line
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'column', a.attrelid::regclass, a.attname, a.atttypid, a.attnotnull, a.attidentity,
    pg_get_expr(d.adbin, d.adrelid)) FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid AND c.relnamespace = 'public'::regnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0
  UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    WHERE NOT tgisinternal
  UNION ALL SELECT concat_ws(' ', 'function', proname, md5(prosrc)) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'setting', setconfig::text) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT concat_ws(' ', 'extension', extname, extversion) FROM pg_extension) found
"""
"""What a database is made of, whatever it holds."""
_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition AND NOT EXISTS
  (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
"""
_TOO_MUCH = 4 * 2**20
"""Bytes that a test may have added: a database with more is dropped, since its dead rows would slow down the others."""


class Cluster:
    """Where databases for tests are made; each is a copy of an empty layout as soon as there is one.

    To make and to drop one takes longer than most tests (400 ms): those that tests leave behind are emptied (20 ms) and
    given to the next ones, unless something of their layout is different.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._numbers = count(1)
        self._layout = False
        self._shape = ""
        self._size = 0
        self._empty = ""
        self._free: list[str] = []

    def address(self, database: str) -> str:
        """The connection string of a database."""
        return f"host={self.socket} dbname={database} user=postgres"

    def create_empty(self, tablespace: Path | None = None) -> str:
        """A database without any layout, as its address; it lies in ``tablespace``, an empty folder of the server."""
        name = f"empty_{next(self._numbers)}"
        place = ""
        if tablespace is not None:
            self._execute(f"CREATE TABLESPACE small LOCATION '{tablespace}'")
            place = " TABLESPACE small"
        self._execute(f"CREATE DATABASE {name}{place}")
        return f"postgres:///{name}?host={self.socket}&user=postgres"

    def copy(self, address: str) -> str:
        """Another database like that at an address, to which nobody is connected."""
        name = f"copy_{next(self._numbers)}"
        source = conninfo_to_dict(address)["dbname"]
        self._execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")
        return f"postgres:///{name}?host={self.socket}&user=postgres"

    def create_database(self) -> str:
        """A database with the empty layout; gives its connection string."""
        if not self._layout:
            self._execute("CREATE DATABASE layout")
            with psycopg.connect(self.address("layout")) as connection:
                if self.has_extension("postgis"):
                    connection.execute("CREATE EXTENSION postgis")
                for statements in POSTGRES.values():
                    for statement in statements:
                        connection.execute(statement)
                ensure_spatial(PostgresEngine().wrap(connection))
                self._look(connection)
            self._layout = True
        if self._free:
            return self._free.pop()
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE layout STRATEGY file_copy")
        return self.address(name)

    def _look(self, layout: "psycopg.Connection[Any]") -> None:
        """What a database is to be like that is used again: the statements that empty it, and its shape."""
        self._shape, self._size = layout.execute(f"SELECT ({_SHAPE}), pg_database_size(current_database())").fetchone()
        tables = [name for (name,) in layout.execute(_TABLES).fetchall()]
        assert not any(layout.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in tables)
        sequences = layout.execute(
            "SELECT format('SELECT setval(%L, %s, false)', schemaname || '.' || sequencename, start_value)"
            " FROM pg_sequences WHERE schemaname = 'public'"
        ).fetchall()
        self._empty = ";".join(
            [
                "SET session_replication_role = replica",  # neither triggers nor foreign keys: all of it goes
                *(f"DELETE FROM {name}" for name in tables),
                *(statement for (statement,) in sequences),
            ]
        )

    def give_back(self, address: str) -> None:
        """Empty a database for the next test, or drop it where it is no longer what it was."""
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            found = connection.execute(f"SELECT ({_SHAPE}), pg_database_size(current_database())").fetchone()
            alike = found is not None and found[0] == self._shape and found[1] < self._size + _TOO_MUCH
            if alike:
                with connection.transaction():
                    connection.execute(self._empty)
        if alike:
            self._free.append(address)
        else:
            self.drop(address)

    def drop(self, address: str, *, tablespace: bool = False) -> None:
        """Drop a database that was made here, and the tablespace that was made for it."""
        name = conninfo_to_dict(address)["dbname"]
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        if tablespace:
            self._execute("DROP TABLESPACE small")

    def has_extension(self, name: str) -> bool:
        """Whether the server could load an extension (and, where it has to be preloaded, was told to)."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", (name,)).fetchone())

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement)


# Told to end by TERM: a shell that was itself started in the background without a terminal ignores QUIT.
_TIDY = """
trap 'kill -QUIT $server' TERM
"$@" & server=$!
wait $server || wait $server
rm -rf "$0"
"""


@cache
def cluster() -> Cluster:
    """The cluster of this process. Skips the test, by name, where PostgreSQL is not installed."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not binaries:
        pytest.skip("PostgreSQL is not installed: tests of this engine are left out")
    tools = binaries[-1]
    folder = Path(tempfile.mkdtemp(prefix="allmende-pg-"))
    owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(folder, owner)

    as_owner = [f"--reuid={owner}", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    data = folder / "data"
    layout = [tools / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
    subprocess.run(["setpriv", "--pdeathsig", "KILL", *as_owner, *layout], check=True, **quiet)
    settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    # Ends with this process, however that ends (xdist's workers run nothing at their end), and its folder with it.
    shell = ["sh", "-c", _TIDY, folder, tools / "postgres", "-D", data, *options]
    command = ["setpriv", "--pdeathsig", "TERM", *as_owner, *shell]
    server = subprocess.Popen(command, **quiet)
    made = Cluster(folder)
    _wait_for(made, server)

    def end() -> None:
        server.terminate()
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return made


def _wait_for(made: Cluster, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        try:
            psycopg.connect(made.address("postgres")).close()
        except psycopg.OperationalError:
            assert server.poll() is None, "the private cluster did not start"
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the private cluster does not answer")
