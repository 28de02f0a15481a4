"""Makes the dumps: of each open dataset a Parquet file for each month of UTC, one on its streams, and one for each
collection of objects. What did not change is not made again; a file is replaced in one step.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import structlog
from django.db.models import F
from django.utils import timezone

from allmende.domain.errors import AllmendeError, Conflict
from allmende.domain.features import KeptCollection
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.selection import Selection
from allmende.domain.store import Store
from allmende.domain.times import from_datetime
from allmende.faces.files.columnar import ParquetWriter
from allmende.faces.files.fields import PLAIN, STREAMS
from allmende.faces.files.formats import FORMATS
from allmende.faces.files.make import make_file, write_all
from allmende.faces.files.readings import Source, about_streams, plain_readings
from allmende.web.config import Config
from allmende.web.downloads import marking
from allmende.web.downloads.describing import describe_file, digest_of
from allmende.web.downloads.folder import demand_room, dump_path, dumps_folder, settle, workshop
from allmende.web.downloads.marking import dumped, months
from allmende.web.downloads.models import Dump

OBJECTS = "objects-"
Tell = Callable[[int], None]

log = structlog.get_logger("allmende.dumps")


class Outcome(NamedTuple):
    """What a round did."""

    made: int
    kept: int
    failed: list[str]


class Dumper:
    """One round after the other; ``tell`` is called while files are written, and may raise to end it."""

    def __init__(self, store: Store, config: Config, tell: Tell = lambda rows: None) -> None:
        self._store, self._config, self._tell = store, config, tell

    def round(self, profile: Profile, *, only: set[str] | None = None, withdrawn: bool = False) -> Outcome:
        """Make what is missing, stale or damaged: of all open datasets, or of those that are named; ``withdrawn``:
        only files that are withdrawn now. Raises Conflict where another process is at it."""
        done = Outcome(0, 0, [])
        with _alone():
            drop_closed(profile)
            figures = self._store.figures(ANONYMOUS)
            for dataset in dumped(profile):
                if only is not None and dataset not in only:
                    continue
                known = {dump.name: dump for dump in Dump.objects.filter(dataset=dataset)}
                collections = [c for c in self._store.collections(ANONYMOUS) if c.dataset == dataset]
                names = self._names(figures.get(dataset), collections)
                _drop(dataset, set(known) - set(names))
                language = profile.languages[0]
                said = digest_of(describe_file(profile, self._config, Selection(dataset=dataset), language))
                due = [name for name in names if _is_due(known.get(name), dataset, names[name], said)]
                if withdrawn:
                    due = [name for name in due if name in known and known[name].withdrawn]
                elif marking.STREAMS in names and marking.STREAMS not in due:
                    due.append(marking.STREAMS)  # names, units and places change without a reading
                done = self._make_all(
                    profile, dataset, due, said, done._replace(kept=done.kept + len(names) - len(due))
                )
        return done

    def _names(self, figures: object, collections: list[KeptCollection]) -> dict[str, KeptCollection | None]:
        """All files that a dataset should have."""
        names: dict[str, KeptCollection | None] = {}
        first, newest = getattr(figures, "first", None), getattr(figures, "newest", None)
        if first is not None and newest is not None:
            names |= dict.fromkeys(months(first, newest))
            names[marking.STREAMS] = None
        return names | {f"{OBJECTS}{kept.id}": kept for kept in collections}

    def _make_all(self, profile: Profile, dataset: str, due: list[str], said: str, done: Outcome) -> Outcome:
        for name in due:
            try:
                demand_room(self._config, dumps_folder(), self._config.dumps_bytes, "ALLMENDE_DUMPS_BYTES")
                self._make(profile, dataset, name, said)
                done = done._replace(made=done.made + 1)
            except AllmendeError as error:
                log.warning("a dump could not be made", dataset=dataset, name=name, error=str(error))
                done.failed.append(f"{dataset}/{name}: {error}")
        return done

    def _make(self, profile: Profile, dataset: str, name: str, said: str) -> None:
        dump, _ = Dump.objects.get_or_create(dataset=dataset, name=name)
        place = workshop(f"{dataset}.{name}", dumps_folder())
        try:
            made = place / "file.parquet"
            rows = self._write(profile, dataset, name, made)
            path = dump_path(dataset, name)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            size, digest = 0, ""
            if rows:
                size, digest = settle(made, path)
            else:
                path.unlink(missing_ok=True)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        done = {"rows": rows, "size": size, "digest": digest, "said": said, "made": timezone.now()}
        Dump.objects.filter(pk=dump.pk).update(**done)
        # A mark that came while it was written stays.
        Dump.objects.filter(pk=dump.pk, turn=dump.turn).update(stale=False, withdrawn=False, turn=F("turn") + 1)

    def _write(self, profile: Profile, dataset: str, name: str, path: Path) -> int:
        """Asked by nobody in particular: what is not open, or simulated, is in none of them."""
        source = Source(store=self._store, reader=ANONYMOUS, zone=profile.time_zone)
        language = profile.languages[0]
        if name.startswith(OBJECTS):
            selection = Selection(dataset=dataset, collection=name.removeprefix(OBJECTS))
            said = describe_file(profile, self._config, selection, language)
            return make_file(source, said, FORMATS["parquet"], path, self._tell)
        if name == marking.STREAMS:
            selection = Selection(dataset=dataset)
            said = describe_file(profile, self._config, selection, language)
            writer = ParquetWriter(path, said, STREAMS, sorted_by=("stream",))
            return write_all(writer, about_streams(source, selection), self._tell)
        start, end = span_of(name)
        selection = Selection(dataset=dataset, start=start, end=end)
        said = describe_file(profile, self._config, selection, language)
        writer = ParquetWriter(path, said, PLAIN, sorted_by=("stream", "time"))
        return write_all(writer, plain_readings(source, selection), self._tell)


def span_of(month: str) -> tuple[int, int]:
    """When a month of UTC begins, and the next one."""
    year, number = int(month[:4]), int(month[5:])
    first = datetime(year, number, 1, tzinfo=UTC)
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return from_datetime(first), from_datetime(after)


def drop_closed(profile: Profile) -> int:
    """Delete the dumps of datasets that are no longer open; gives how many. (They are refused before that.)"""
    open_ = set(dumped(profile))
    gone = 0
    for dataset in set(Dump.objects.values_list("dataset", flat=True)) - open_:
        gone += Dump.objects.filter(dataset=dataset).delete()[0]
    for path in dumps_folder().iterdir():
        if path.is_dir() and path.name not in open_ and not path.name.endswith(".part"):
            shutil.rmtree(path, ignore_errors=True)
    if gone:
        log.info("dumps of what is not open any more were deleted", files=gone)
    return gone


def _drop(dataset: str, names: set[str]) -> None:
    """Delete files of months, or collections, that are no longer there."""
    for name in names:
        dump_path(dataset, name).unlink(missing_ok=True)
    Dump.objects.filter(dataset=dataset, name__in=names).delete()


def _is_due(dump: Dump | None, dataset: str, kept: KeptCollection | None, said: str) -> bool:
    if dump is None or dump.made is None or dump.stale or dump.said != said:
        return True
    if kept is not None and (dump.rows != kept.count or (kept.changed_at or 0) >= from_datetime(dump.made)):
        return True
    try:
        size = dump_path(dataset, dump.name).stat().st_size
    except FileNotFoundError:
        size = 0
    return size != dump.size


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time makes dumps; what one that was killed left is cleared away."""
    with (dumps_folder() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("dumps are being made already") from None
        for left in dumps_folder().glob("*.part"):
            shutil.rmtree(left, ignore_errors=True)
        yield
