"""Where Django's database is: SQLite in the home, or PostgreSQL at an address; and the store over it."""

from typing import Any

from allmende.domain.errors import ConfigurationError
from allmende.domain.store import Store
from allmende.web.config import Config


def database_settings(config: Config) -> dict[str, Any]:
    """``DATABASES["default"]``. Raises ConfigurationError for an address that is none."""
    if config.postgres:
        return _postgres(config)
    return {
        "ENGINE": "allmende.web.sqlite",
        "NAME": str(config.database_path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"write_lock": str(config.home / "write.lock"), "write_wait": config.write_wait},
        # A file like the real one: in memory there is no WAL, and no other connection.
        "TEST": {"NAME": str(config.home / "test.sqlite3")},
    }


def _postgres(config: Config) -> dict[str, Any]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        said = conninfo_to_dict(config.database_url)
    except ProgrammingError as error:
        text = str(error).strip().split("\n")[0]
        raise ConfigurationError(
            f"is no address of PostgreSQL such as postgres://user:password@host/database: {text}",
            where="ALLMENDE_DATABASE_URL",
        ) from None
    known = {name: str(said.pop(name, "") or "") for name in ("dbname", "user", "password", "host", "port")}
    timeout = round(config.query_seconds * 1000)
    # JIT: questions here are small; to compile them takes longer than to answer them.
    # Generic plans are made once: over all partitions, to plan a question takes longer than to answer it.
    own = f"-c jit=off -c plan_cache_mode=force_generic_plan -c statement_timeout={timeout} -c timezone=UTC"
    options = f"{said.pop('options', '')} {own}".strip()
    return {
        "ENGINE": "allmende.web.postgresql",
        "NAME": known["dbname"],
        "USER": known["user"],
        "PASSWORD": known["password"],
        "HOST": known["host"],
        "PORT": known["port"],
        "CONN_MAX_AGE": 0,  # kept open by the pool, which looks at them before it hands them out
        "OPTIONS": {
            **said,
            "options": options,
            "server_side_binding": True,
            "prepare_threshold": 3,
            "pool": {"min_size": 1, "max_size": config.web_threads + 16, "timeout": config.write_wait},
        },
    }


def make_store(config: Config) -> Store:
    """The store over Django's connections."""
    from allmende.web.data.connections import DjangoConnections

    if config.postgres:
        from allmende.storage.postgres import PostgresStore

        return PostgresStore(DjangoConnections(seconds=config.query_seconds))
    from allmende.storage.sqlite import SqliteStore

    return SqliteStore(DjangoConnections(seconds=config.query_seconds))
