"""The house as a command opens it."""

import os
import pwd

import msgspec

from allmende.domain.errors import ConfigurationError
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.config import Config, load_config


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, city and store, ready to be used."""

    config: Config
    profile: Profile
    store: Store


def settled(*, city: bool = True) -> Config:
    """The settings, checked for what every command needs. Raises ConfigurationError that says what to do."""
    config = load_config()
    if not config.home.is_dir():
        raise ConfigurationError(
            f"there is no house at {config.home} yet; `allmende init --city NAME` makes one", where="ALLMENDE_HOME"
        )
    if city and not config.city:
        raise ConfigurationError("no city is chosen; `allmende init --city NAME` does it", where="ALLMENDE_CITY")
    return config


def open_house() -> Opened:
    """Load Django and open the store. Raises ConfigurationError, also where the database is not up to date."""
    config = settled()
    from allmende.web.observability import logs
    from allmende.web.parts import open_django

    # A command's own words go to the terminal; of the log only what is out of the ordinary.
    quiet = "debug" if config.log_level == "debug" else "warning"
    logs.configure(msgspec.structs.replace(config, log_level=quiet), "cli")
    open_django()
    demand_migrations(config)
    from allmende.web.house import open_profile, open_store

    return Opened(config=config, profile=open_profile(), store=open_store())


def demand_migrations(config: Config) -> None:
    """Raise ConfigurationError where the database is not up to date; Django is loaded."""
    missing = missing_migrations()
    if missing:
        raise ConfigurationError(
            f"the database lacks {missing} of its migrations; `allmende init --city {config.city}` applies them"
        )


def missing_migrations() -> int:
    """How many migrations the database lacks; Django is loaded."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def actor() -> str:
    """Who gives the command, for the audit log: the account of the operating system."""
    number = os.getuid()
    try:
        return f"cli:{pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"cli:{number}"
