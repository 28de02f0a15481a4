"""A private PostgreSQL as it would stand on a server of the city: everything that keeps data safe is on."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "2GB",
    "effective_cache_size": "6GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "max_connections": "100",
}


class Database:
    """A running cluster with one database, reached over a socket."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self.folder = folder
        self.pid = process.pid
        self.address = f"host={folder} dbname=postgres user=postgres"
        self.url = f"postgres:///postgres?host={folder}&user=postgres"

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection that commits each statement."""
        return psycopg.connect(self.address, autocommit=True)


def installed() -> Path | None:
    """The newest installed server's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return found[-1] if found else None


@contextmanager
def private_database(tools: Path, keep: Path | None = None) -> Iterator[Database]:
    """Start a cluster in a folder of its own; it ends with this process, however that ends. With ``keep`` its data
    stand in that folder, as they were left there, and stay."""
    folder = Path(tempfile.mkdtemp(prefix="allmende-bench-pg-"))
    root = os.geteuid() == 0
    owner = "postgres" if root else pwd.getpwuid(os.geteuid()).pw_name
    if root:
        shutil.chown(folder, owner)
    as_owner = [f"--reuid={owner}", "--regid=postgres", "--init-groups"] if root else []
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    data = keep or folder / "data"
    if root and keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        shutil.chown(keep, owner)
    layout = [tools / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
    if not (data / "PG_VERSION").exists():
        subprocess.run(["setpriv", "--pdeathsig", "KILL", *as_owner, *layout], check=True, **quiet)
    settings = {**SETTINGS, "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = ["setpriv", "--pdeathsig", "QUIT", *as_owner, tools / "postgres", "-D", data, *options]
    process = subprocess.Popen(command, **quiet)
    made = Database(folder, process)
    try:
        _wait_for(made, process)
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(made: Database, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        try:
            made.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                raise RuntimeError("the private cluster did not start") from None
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the private cluster does not answer")
