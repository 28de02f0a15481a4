"""Homes and databases that are migrated already: one is made in each process of tests, the others are copies of it.

To migrate takes seconds of processor, and most tests of whole houses ask nothing of it; those that do begin with
nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.cluster import cluster

_SECOND = pytest.mark.skipif(
    not os.environ.get("ALLMENDE_TEST_WHOLE"),
    reason="the engine has little part in this: ALLMENDE_TEST_WHOLE=1 tries both",
)
BOTH = ["sqlite", pytest.param("postgres", marks=_SECOND)]
"""Engines for slow tests of what the engine has little part in; the store's own tests always run on both."""
POSTGRES_FIRST = [pytest.param("sqlite", marks=_SECOND), "postgres"]
"""The same, for those that have more to fear of PostgreSQL."""

# With the tables of the services of the tests' city, and without a row of the city itself.
_MIGRATE = """
from msgspec.structs import replace
from allmende.web.config import load_config
from allmende.web.parts import prepare
prepare(replace(load_config(), city=""))
"""


def put_database(home: Path) -> None:
    """Put a migrated SQLite database into a home; the home is made where it is missing, its content left alone."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (home / "allmende.sqlite3").exists():
        shutil.copyfile(_sqlite(), home / "allmende.sqlite3")


def migrated_database() -> str:
    """The address of a migrated database of PostgreSQL. Skips the test where it is not installed."""
    return cluster().copy(_postgres())


def _migrate(home: Path, **more: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO_"))}
    house = {"ALLMENDE_HOME": str(home), "ALLMENDE_CITY": os.environ["ALLMENDE_CITY"], "ALLMENDE_DISK_FLOOR": "0"}
    environ = {**kept, **house, **more}
    subprocess.run([sys.executable, "-c", _MIGRATE], env=environ, check=True, capture_output=True, timeout=120)


@cache
def _sqlite() -> Path:
    # beside the homes of the tests, in the folder that goes with this process
    home = Path(tempfile.mkdtemp(prefix="migrated-", dir=os.environ["ALLMENDE_HOME"]))
    _migrate(home)
    return home / "allmende.sqlite3"


@cache
def _postgres() -> str:
    address = cluster().create_empty()
    _migrate(Path(tempfile.mkdtemp(prefix="migrated-", dir=os.environ["ALLMENDE_HOME"])), ALLMENDE_DATABASE_URL=address)
    return address
