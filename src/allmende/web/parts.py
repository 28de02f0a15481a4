"""The parts of the running house, one process each: ``python -m allmende.web.parts web|worker|broker``.

`allmende web` and its siblings call the same functions; the supervisor starts this module instead, since it imports
no more than the part needs.
"""

import os
import sys
import time

from allmende.domain.errors import AllmendeError, ConfigurationError
from allmende.web.config import Config, load_config
from allmende.web.parentage import PARENT, die_with_parent

CONFIGURATION_EXIT = 78
"""Exit code of a part that would fail again at once (EX_CONFIG of sysexits)."""
_KILL_SECONDS = 4


def open_django() -> None:
    """Load Django's apps; safe to repeat."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allmende.web.settings")
    import django

    django.setup()


def prepare(config: Config) -> int:
    """Bring the home's database up to date, and the profile's datasets into it. Gives the migrations applied."""
    open_django()
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from allmende.web.catalogue.notes import note_descriptions
    from allmende.web.following import adopt_logs
    from allmende.web.house import furnish, open_profile, open_store

    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        call_command("migrate", verbosity=0, interactive=False)
    prepare_places()
    adopt_logs(open_store())
    if config.city:
        furnish(open_store(), open_profile())
        note_descriptions(open_profile(), time.time_ns() // 1000)
    connection.close()
    return len(missing)


def leave_database() -> None:
    """Close what this process holds open of the database.

    Before others are forked from it: a pool's connections would be shared with them, and its threads stay behind.
    """
    from django.apps import apps

    if not apps.ready:
        return
    from django.db import connections

    for wrapper in connections.all(initialized_only=True):
        wrapper.close()
        close_pool = getattr(wrapper, "close_pool", None)
        if close_pool:
            close_pool()


def prepare_places() -> bool:
    """Let PostgreSQL compare places, where PostGIS is there or may be made; whether it can. Django is loaded."""
    from django.db import connection, transaction

    if connection.vendor != "postgresql":
        return True
    from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedFile

    from allmende.storage.postgres import PostgresEngine
    from allmende.storage.schema_spatial import ensure_spatial

    connection.ensure_connection()
    try:
        # Not trusted: a role that is no superuser may not make it, and is told by `allmende check`.
        with transaction.atomic():
            connection.connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    except (FeatureNotSupported, InsufficientPrivilege, UndefinedFile):
        pass
    with transaction.atomic():
        connection.connection.execute("SET LOCAL statement_timeout = 0")
        return ensure_spatial(PostgresEngine().wrap(connection.connection))


def run_web(config: Config) -> None:
    """The web server, until SIGINT or SIGTERM."""
    from granian.constants import Interfaces
    from granian.server import Server

    from allmende.web.counts import share_counts
    from allmende.web.observability import logs
    from allmende.web.observability.shared import share_counters

    logs.configure(config, "web")
    share_counters(config.home)
    share_counts()
    os.environ[PARENT] = str(os.getpid())
    leave_database()
    Server(
        "allmende.web.wsgi:application",
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.web_processes,
        blocking_threads=config.web_threads,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=_KILL_SECONDS,
    ).serve()


def run_worker(config: Config) -> None:
    """Connectors, rules and jobs, until SIGINT or SIGTERM."""
    from allmende.web.observability import logs
    from allmende.web.observability.shared import share_counters

    logs.configure(config, "worker")
    share_counters(config.home)
    open_django()
    from allmende.web.reads.notes import notes
    from allmende.web.worker.run import run_worker as run

    notes.keep()
    run(config)


def run_broker(config: Config) -> None:
    """The embedded broker, until SIGINT or SIGTERM."""
    from allmende.web.observability import logs
    from allmende.web.observability.shared import share_counters

    logs.configure(config, "broker")
    share_counters(config.home)
    open_django()
    from allmende.web.broker.rules import house_rules, house_tellers
    from allmende.web.broker.run import run_broker as run
    from allmende.web.reads.notes import notes

    notes.keep()
    run(config, house_rules(config), house_tellers)


def main(part: str) -> int:
    """Run one part; what goes wrong is said in one line."""
    die_with_parent()
    try:
        {"web": run_web, "worker": run_worker, "broker": run_broker}[part](load_config())
    except ConfigurationError as error:
        print(f"{part}: {error}", file=sys.stderr)
        return CONFIGURATION_EXIT
    except AllmendeError as error:
        print(f"{part}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
