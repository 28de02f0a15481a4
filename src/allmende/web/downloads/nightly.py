"""The thread of the worker that looks after the dumps: marks what changed, makes them at night, withdrawn ones soon."""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog

from allmende.domain.errors import Conflict
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import from_datetime, to_datetime
from allmende.web.config import Config
from allmende.web.downloads.dumping import Dumper, drop_closed
from allmende.web.downloads.folder import dumps_folder
from allmende.web.downloads.making import Stopped
from allmende.web.downloads.marking import Marker
from allmende.web.downloads.models import Dump
from allmende.web.intake import now_micros
from allmende.web.worker.rounds import Rounds

LOOK_SECONDS = 5.0
SOON_SECONDS = 600.0
"""Between two rounds for what was withdrawn: a client that deletes one by one does not keep it busy."""
MADE = "time:dumps-made"
"""The night for which the last round was made, as a time."""

log = structlog.get_logger("allmende.dumps")


class DumpsThread(Rounds):
    """Look after look."""

    def __init__(
        self, store: Store, profile: Callable[[], Profile], config: Config, stop: threading.Event,
        *, clock: Callable[[], int] = now_micros,
    ) -> None:  # fmt: skip
        super().__init__("dumps", stop)
        self._store, self._profile, self._config, self._clock = store, profile, config, clock
        self._marker = Marker(store)
        self._dumper = Dumper(store, config, self._go_on)
        self._soon = float("-inf")

    def turn(self) -> float:
        """One look. Each file is whole or not there, whatever happens."""
        with suppress(Stopped):
            self.look()
        return LOOK_SECONDS

    def look(self) -> None:
        """Do what is due."""
        profile, now = self._profile(), self._clock()
        self._marker.look(profile, self._config, now)
        if not self._config.dumps:
            drop_all()
            return
        drop_closed(profile)
        try:
            if self._night_is_due(profile, now):
                self._make_all(profile)
                self._store.set_cursor(MADE, now)
            elif Dump.objects.filter(withdrawn=True).exists() and time.monotonic() - self._soon >= SOON_SECONDS:
                self._soon = time.monotonic()
                self._dumper.round(profile, withdrawn=True)
        except Conflict:
            return  # a command is at it; it is looked again

    def _make_all(self, profile: Profile) -> None:
        began = time.monotonic()
        done = self._dumper.round(profile)
        seconds = round(time.monotonic() - began, 1)
        log.info("dumps were made", made=done.made, kept=done.kept, failed=len(done.failed), seconds=seconds)

    def _night_is_due(self, profile: Profile, now: int) -> bool:
        """Whether the hour has come since the last round; the first one is made in the first night."""
        made = self._store.cursor(MADE)
        if made is None:
            self._store.set_cursor(MADE, now)
            return False
        return made < last_night(now, profile.time_zone, self._config.dump_hour) <= now

    def _go_on(self, _: int) -> None:
        if self._stop_event.is_set():
            raise Stopped


def last_night(now: int, zone: str, hour: int) -> int:
    """The last time at which it was so late by the clock of the zone."""
    local = to_datetime(now).astimezone(ZoneInfo(zone))
    night = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    if night > local:
        night -= timedelta(days=1)
    return from_datetime(night)


def drop_all() -> None:
    """Delete all dumps, where the house makes none."""
    Dump.objects.all().delete()
    if any(dumps_folder().iterdir()):
        shutil.rmtree(dumps_folder(), ignore_errors=True)
