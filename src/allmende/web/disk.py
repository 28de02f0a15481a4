"""Whether there is room for more: the disk has a floor under which the house takes nothing."""

import shutil
import time

from django.db import connection

from allmende.domain.errors import StorageFull
from allmende.web.config import Config

_DISK_SECONDS = 1.0
_SIZE_SECONDS = 30.0


class DiskFloor:
    """Refuses new data where the disk that holds the database is nearly full. Looks once a second.

    The disk of a PostgreSQL server is not seen from here: there the size of the database is looked at, twice a minute,
    where a limit was set; and what the server says of a full disk becomes the same error (see PostgresEngine).
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._checked = self._sized = float("-inf")

    def check(self) -> None:
        """Raise StorageFull below the floor."""
        if time.monotonic() - self._checked < _DISK_SECONDS:
            return
        free, floor = free_bytes(self._config), self._config.disk_floor
        if free < floor:
            raise StorageFull(
                f"{free // 2**20} MiB are free on the disk of {self._config.database_path.parent}, less than the floor"
                f" of {floor // 2**20} MiB; nothing of this was stored. Make room, then send it again"
                " (limit: ALLMENDE_DISK_FLOOR)"
            )
        self._check_size()
        self._checked = time.monotonic()

    def _check_size(self) -> None:
        limit = self._config.database_bytes
        if not limit or not self._config.postgres or time.monotonic() - self._sized < _SIZE_SECONDS:
            return
        size = database_bytes()
        if size >= limit:
            raise StorageFull(
                f"the database has {size // 2**20} MiB, its limit is {limit // 2**20} MiB; nothing of this was stored."
                " Make room, then send it again (limit: ALLMENDE_DATABASE_BYTES)"
            )
        self._sized = time.monotonic()


def database_bytes() -> int:
    """The size of the PostgreSQL database, indexes and dead rows included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def free_bytes(config: Config) -> int:
    """Room on the disk that the database lies on."""
    return shutil.disk_usage(config.database_path.parent).free
