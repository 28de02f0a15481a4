"""The city's profile as it is now: its folder over what services bring, and over it what the back office released.

A process looks at most once a second whether either has changed, and reads both anew only then. What has become wrong
(a file with a mistake, a table that no longer fits what was released) changes nothing: the last good profile stays in
force, and what is wrong is said in the log, on the page of sources and by ``allmende check``.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from allmende.domain.errors import AllmendeError, ConfigurationError, StorageError
from allmende.domain.plain import Change, PlainProfile
from allmende.domain.profile import Profile
from allmende.web.profiles import find_profile, fingerprint, read_profile
from allmende.web.services import check_services, watched_folders

LOOK_SECONDS = 1.0
_SETTLED_SECONDS = 1.0
"""A file that changed less long ago may still be being written."""
T = TypeVar("T")

log = structlog.get_logger("allmende.profile")


def read_stand() -> str:
    """A word that is another one after each release; "" before the first. One query."""
    from allmende.web.office.models import Stand

    found = Stand.objects.values_list("word", flat=True).first()
    return found or ""


def released_changes() -> list[Change]:
    """What is in force over the folder, in the order in which it was released."""
    from allmende.web.office.files import read
    from allmende.web.office.models import RELEASED, Revision

    revisions = Revision.objects.filter(state=RELEASED, removes=False).order_by("released", "pk")
    return [Change(r.kind, r.key, r.body, read(r.files)) for r in revisions]


class LiveProfile:
    """A profile that follows its folder and the releases. Safe to use from several threads."""

    def __init__(self, path: Path, *, seconds: float = LOOK_SECONDS, beside: Iterable[Path] = ()) -> None:
        """``beside``: folders whose files are part of the profile, too."""
        self._path = path
        self._beside = tuple(beside)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._profile: Profile | None = None
        self._folder: PlainProfile | None = None
        self._plain: PlainProfile | None = None
        self._seen: tuple[Any, str] | None = None
        self._moving: Any = None
        self._due = float("-inf")
        self.problem = ""
        """What keeps the present state of folder and releases from being in force, in words."""

    def current(self) -> Profile:
        """The profile in force. Raises ConfigurationError where there was no good one yet."""
        if time.monotonic() >= self._due or self._profile is None:
            self._look()
        assert self._profile is not None
        return self._profile

    def folder(self) -> PlainProfile:
        """What the folder says, without any release."""
        return self._folder or self.read_folder()

    def read_folder(self) -> PlainProfile:
        """What the folder says at this moment. Raises ConfigurationError, ProfileError."""
        return read_profile(self._path)

    def plain(self) -> PlainProfile:
        """What is in force, as plain data."""
        self.current()
        assert self._plain is not None
        return self._plain

    def expire(self) -> None:
        """Look again when asked next."""
        self._due = float("-inf")

    def _look(self) -> None:
        # Whoever comes while somebody else looks takes what there is; at the very start there is nothing to take.
        if not self._lock.acquire(blocking=self._profile is None):
            return
        try:
            if time.monotonic() < self._due and self._profile is not None:
                return
            self._due = time.monotonic() + self._seconds
            self._take_over()
        finally:
            self._lock.release()

    def _take_over(self) -> None:
        files, stand = fingerprint(self._path, self._beside), self._stand()
        if (files, stand) == self._seen or (self._profile is not None and self._still_moving(files)):
            return
        first = self._profile is None
        try:
            folder = read_profile(self._path)
            plain = folder.under(released_changes() if stand else ())
            profile = plain.parse()
            check_services(profile)
        except DatabaseError as error:
            if first:
                raise ConfigurationError(f"what was released in the office cannot be read: {error}") from None
            return  # it is tried again at the next look
        except AllmendeError as error:
            if first:
                raise
            self._seen = files, stand
            self.problem = str(error)
            log.error("the profile is wrong; the last good one stays in force", problem=self.problem)
            return
        if not first and not self._furnish(profile):
            return
        self._seen = files, stand
        self._folder, self._plain, self._profile = folder, plain, profile
        self.problem = ""
        if not first:
            log.info("the profile has changed", stand=stand)

    def _furnish(self, profile: Profile) -> bool:
        """Let the store know datasets before anything is taken for them; whether that could be done."""
        from allmende.web.house import furnish, open_store

        if self._profile is not None and profile.datasets == self._profile.datasets:
            return True
        try:
            furnish(open_store(), profile)
        except StorageError as error:
            log.warning("the profile has changed and cannot be taken over yet", error=str(error))
            return False
        return True

    def _stand(self) -> str:
        """The releases' word; what was seen last where the database does not answer.

        A database without the table (before its first migration) has no releases.
        """
        known = self._seen[1] if self._seen else ""
        try:
            return read_stand()
        except DatabaseError:
            if self._profile is None and connection.in_atomic_block:
                raise
            connection.close_if_unusable_or_obsolete()  # a thread that does nothing else would keep it for ever
            return known

    def _still_moving(self, files: Any) -> bool:
        """Whether a file was written a moment ago: half of it may be missing yet."""
        if self._seen is None or files == self._seen[0] or files == self._moving:
            return False
        self._moving = files
        known = set(self._seen[0])
        newest = max((file[2] for file in files if file not in known), default=0) / 1e9
        return abs(time.time() - newest) < _SETTLED_SECONDS


_lives: dict[str, LiveProfile] = {}


def live() -> LiveProfile:
    """This process's."""
    city = settings.ALLMENDE.city
    found = _lives.get(city)
    if found is None:
        found = _lives.setdefault(city, LiveProfile(find_profile(city), beside=watched_folders(settings.SERVICES)))
    return found


def forget() -> None:
    """Know nothing, as a process that has just started."""
    _lives.clear()


class Derived(Generic[T]):
    """Something that is worked out of the profile: once for each state of it."""

    def __init__(self, build: Callable[[Profile], T]) -> None:
        self._build = build
        self._made: tuple[Profile, T] | None = None
        self.__doc__ = build.__doc__

    def __call__(self) -> T:
        from allmende.web import house

        profile = house.open_profile()
        made = self._made
        if made is None or made[0] is not profile:
            made = self._made = (profile, self._build(profile))
        return made[1]


def problems() -> Iterator[str]:
    """What is wrong with the profile now, in words for an operator."""
    if live().problem:
        yield live().problem
