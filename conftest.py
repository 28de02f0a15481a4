"""Every test process gets a home of its own and no setting of the machine's.

``ALLMENDE_TEST_CITY`` chooses the profile (jena by default); what a profile could break runs with each of the two.
``ALLMENDE_TEST_DATEX`` names a folder with DATEX II's schemas, against which parking's documents are then validated.
``ALLMENDE_TEST_DATABASE=postgres`` lets Django's tests run on a PostgreSQL of their own instead of SQLite.
"""

import atexit
import os
import shutil
import sqlite3
import tempfile
from typing import Any

import pytest

_KEPT = (
    "ALLMENDE_TEST_CITY",
    "ALLMENDE_TEST_DATABASE",
    "ALLMENDE_TEST_DATEX",
    "ALLMENDE_TEST_EXAMPLES",
    "ALLMENDE_TEST_FUZZ",
    "ALLMENDE_TEST_WHOLE",
    "ALLMENDE_SHARED_DATA",
    "ALLMENDE_BROWSER_URL",
    "ALLMENDE_CHROMIUM",
)


def _prepare_environment() -> None:
    """Has to come before Django reads its settings, hence not in a fixture."""
    for name in list(os.environ):
        if (name.startswith("ALLMENDE_") and name not in _KEPT) or name in ("HOST", "PORT"):
            del os.environ[name]
    home = tempfile.mkdtemp(prefix="allmende-test-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["ALLMENDE_HOME"] = home
    os.environ["ALLMENDE_CITY"] = os.environ.get("ALLMENDE_TEST_CITY") or "jena"
    os.environ |= {"ALLMENDE_RATE_LIMIT": "0", "ALLMENDE_TOKEN_RATE_LIMIT": "0"}
    if os.environ.get("ALLMENDE_TEST_DATABASE") == "postgres":
        os.environ["ALLMENDE_DATABASE_URL"] = _empty_database()
    # Playwright keeps an event loop in the thread of the tests; nothing of ours is asynchronous there.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    os.environ["DJANGO_SETTINGS_MODULE"] = "allmende.web.settings"


def _empty_database() -> str:
    from tests.cluster import cluster

    try:
        return cluster().create_empty()
    except pytest.skip.Exception as missing:
        pytest.exit(str(missing), returncode=int(pytest.ExitCode.NO_TESTS_COLLECTED))


_prepare_environment()


@pytest.hookimpl(optionalhook=True)  # of xdist, which a single test does without
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What ``--dist loadgroup`` means here."""
    from tests.scheduling import ByGroup

    return ByGroup(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_configure() -> None:
    """Load the settings; pytest-django then loads the apps."""
    from django.conf import settings

    from allmende.storage import committer

    assert settings.DATABASES
    # Each test's store has a writer of its own; hundreds of idle ones would use up the process's open files.
    committer._IDLE_SECONDS = 0.5


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """A database of PostgreSQL goes with its cluster: to drop it would wait for threads that still have connections."""
    kept: bool = request.config.getvalue("reuse_db")
    return kept or os.environ.get("ALLMENDE_TEST_DATABASE") == "postgres"


_new = sqlite3.connect(":memory:", check_same_thread=False)
"""The tests' database as it was when it was made."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Keep the new database, for tests that commit."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with django_db_blocker.unblock():
            connection.ensure_connection()
            connection.connection.backup(_new)


@pytest.hookimpl(trylast=True)  # behind the fixtures
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Leave nothing behind a test that commits: Django empties the tables of its models, and knows nothing of those of
    the measured world. On PostgreSQL only tests that are taken back run one behind the other."""
    marker = item.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction", False)
    if nextitem is None or not (commits or "transactional_db" in getattr(item, "fixturenames", ())):
        return
    from django.db import connection
    from pytest_django.plugin import blocking_manager_key

    if connection.vendor == "sqlite":
        with item.config.stash[blocking_manager_key].unblock():
            connection.ensure_connection()
            _new.backup(connection.connection)
        # As in a process that has just started: nothing is known of what was there.
        from allmende.web import house, live
        from allmende.web.transparency import facts

        house.open_store.cache_clear()
        live.forget()
        facts.forget()
