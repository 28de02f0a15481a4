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


class Cluster:
    """Where databases for tests are made; each is a copy of an empty layout as soon as there is one."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._numbers = count(1)
        self._layout = False

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
            self._layout = True
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE layout STRATEGY file_copy")
        return self.address(name)

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
