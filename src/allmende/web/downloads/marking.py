"""What the change log says of files that were made: which months of dumps are no longer true, and which hold what was
deleted since.

Followed by a cursor of its own. A late value, a correction and retention make a month stale: it is made anew at night.
A deletion withdraws it at once, and deletes ordered files of the dataset.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import structlog
from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import gettext as _

from allmende.domain.logs import RETENTION, Change
from allmende.domain.policy import house_reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import DAY, to_datetime
from allmende.web.config import Config
from allmende.web.downloads.folder import dump_path, path_of
from allmende.web.downloads.models import FAILED, MAKING, READY, WAITING, Dump, Order

FOLLOWER = "dumps"
LOOKED = "time:dumps"
"""When the log was last looked at: what it no longer holds by then was missed."""
STREAMS = "streams"
_HOUSE = house_reader("dumps")
"""Only to know which stream is in which dataset."""
_LINES = 2_000
_MOST_MONTHS = 1_200
"""Months that one change may name; one that names more concerns all there are."""

log = structlog.get_logger("allmende.dumps")


def dumped(profile: Profile) -> list[str]:
    """Ids of the datasets of which dumps are made: open, and measured."""
    return [
        each.id
        for each in profile.datasets.values()
        if each.access == "open" and not each.simulated and each.withdrawn is None and not each.series
    ]


def months(first: int, last: int) -> Iterator[str]:
    """All months from that of ``first`` to that of ``last``."""
    begin, end = to_datetime(first), to_datetime(last)
    for number in range(begin.year * 12 + begin.month - 1, end.year * 12 + end.month):
        yield f"{number // 12:04}-{number % 12 + 1:02}"


class Marker:
    """Follows the log; one of a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._datasets: dict[str, str] = {}
        self._listed = False

    def look(self, profile: Profile, config: Config, now: int) -> int:
        """Mark what changed since the last look; gives how many changes there were. ``now`` in microseconds.

        The cursor moves behind the marks: whoever is killed in between marks the same again.
        """
        cursor = self._store.cursor(FOLLOWER)
        looked = self._store.cursor(LOOKED)
        if cursor is None or looked is None or now - looked > config.follow_days * DAY:
            # it follows from now on, and what is there may be anything
            cursor = self._store.newest_change() if cursor is None else cursor
            _mark(Q(), withdraw=False)
        seen, self._listed = 0, False
        while changes := self._store.changes(cursor, _LINES):
            self._mark_all(changes, profile)
            cursor = changes[-1].number
            self._store.set_cursor(FOLLOWER, cursor)
            seen += len(changes)
        if seen or looked is None or now - looked > DAY // 24:
            self._store.set_cursor(FOLLOWER, cursor)
            self._store.set_cursor(LOOKED, now)
        return seen

    def _mark_all(self, changes: Iterable[Change], profile: Profile) -> None:
        personal = {each.id for each in profile.datasets.values() if each.personal is not None}
        stale: dict[str, set[str]] = {}
        gone: dict[str, set[str]] = {}
        nobodys: dict[str, set[str]] = {}
        erased: set[str | None] = set()
        for change in changes:
            dataset = self._dataset(change.stream)
            withdraw = change.kind == "deletion" or (change.kind == RETENTION and dataset in personal)
            if dataset is not None:
                (gone if withdraw else stale).setdefault(dataset, set()).update(_named(change))
            elif withdraw:
                for name in _named(change):
                    nobodys.setdefault(name, set()).add(change.stream)
            if change.kind == "deletion":
                erased.add(dataset)
        for names, withdraw in ((stale, False), (gone, True)):
            for dataset, found in names.items():
                _mark(Q(dataset=dataset, name__in=found), withdraw=withdraw)
        _withdraw_holding(nobodys)
        for one in {None} if None in erased else erased:
            _drop_orders(one)

    def _dataset(self, stream: str) -> str | None:
        """The dataset of a stream, None for one that is gone. All are listed anew for one that is not known, at most
        once a look."""
        if stream not in self._datasets and not self._listed:
            self._listed = True
            self._datasets = {}
            for dataset in self._store.figures(_HOUSE):
                after = ""
                while page := self._store.streams(_HOUSE, dataset, after=after, top=1_000):
                    self._datasets.update((each.id, dataset) for each in page)
                    after = page[-1].id
        return self._datasets.get(stream)


def _withdraw_holding(names: Mapping[str, set[str]]) -> None:
    """Withdraw the files that hold streams that are gone, by the files' names: nobody else knows any more in which
    dataset they were."""
    for dump in Dump.objects.filter(size__gt=0, withdrawn=False, name__in=names):
        path = dump_path(dump.dataset, dump.name)
        if path.exists() and holds(path, names[dump.name]):
            _mark(Q(pk=dump.pk), withdraw=True)


def holds(path: Path, streams: set[str]) -> bool:
    """Whether a file of Parquet has rows of one of these; reads names alone, and groups that may hold one."""
    import pyarrow as pa  # heavy, and hardly ever needed
    from pyarrow import compute, parquet

    file = parquet.ParquetFile(path)
    place = file.schema_arrow.names.index("stream")
    for group in range(file.num_row_groups):
        known = file.metadata.row_group(group).column(place).statistics
        wanted = streams
        if known is not None and known.has_min_max:
            wanted = {each for each in streams if known.min <= each <= known.max}
        column = file.read_row_group(group, columns=["stream"]).column(0) if wanted else pa.array([], pa.string())
        if compute.any(compute.is_in(column, value_set=pa.array(sorted(wanted), pa.string()))).as_py():
            return True
    return False


def _named(change: Change) -> set[str]:
    """Names of the dumps that a change concerns."""
    begin, end = to_datetime(change.start), to_datetime(change.end)
    if (end.year - begin.year) * 12 > _MOST_MONTHS:
        return {*Dump.objects.values_list("name", flat=True), STREAMS}
    found = set(months(change.start, change.end))
    return {*found, STREAMS} if change.kind == "deletion" else found


def _mark(which: Q, *, withdraw: bool) -> None:
    marks = {"stale": True, "turn": F("turn") + 1, **({"withdrawn": True} if withdraw else {})}
    count = Dump.objects.filter(which).update(**marks)
    if withdraw and count:
        log.info("dumps were withdrawn, since something in them was deleted", files=count)


def _drop_orders(dataset: str | None) -> None:
    """Files that were ordered may hold what was deleted; of a stream that is gone nobody knows which. One that is being
    made is begun anew."""
    found = Order.objects.all() if dataset is None else Order.objects.filter(dataset=dataset)
    found.filter(state=MAKING).update(state=WAITING, attempts=0)
    for order in found.filter(state=READY):
        path_of(order).unlink(missing_ok=True)
        with translation.override(order.language):
            error = _("Something in these data was deleted since the file was made. Order it again.")
        Order.objects.filter(pk=order.pk).update(state=FAILED, error=error)
