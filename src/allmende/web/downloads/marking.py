"""What the change log says of files that were made: which months of dumps are no longer true, and which hold what was
deleted since.

Followed by a cursor of its own. A late value, a correction and retention make a month stale: it is made anew at night.
A deletion withdraws it at once, and deletes ordered files of the dataset.
"""

from collections.abc import Iterable, Iterator

import structlog
from django.db import transaction
from django.db.models import F, Q
from pyarrow import compute, parquet

from allmende.domain.logs import RETENTION, Change
from allmende.domain.policy import house_reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import DAY, to_datetime
from allmende.web.config import Config
from allmende.web.downloads.folder import dump_path
from allmende.web.downloads.models import Dump, Order
from allmende.web.downloads.orders import forget

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
        """Mark what changed since the last look; gives how many changes there were. ``now`` in microseconds."""
        cursor = self._store.cursor(FOLLOWER)
        looked = self._store.cursor(LOOKED)
        if cursor is None or looked is None or now - looked > config.follow_days * DAY:
            # it follows from now on, and what is there may be anything
            cursor = self._store.newest_change() if cursor is None else cursor
            _mark(Q(), withdraw=False)
        seen, self._listed = 0, False
        while changes := self._store.changes(cursor, _LINES):
            with transaction.atomic():
                self._mark_all(changes, profile)
                cursor = changes[-1].number
            self._store.set_cursor(FOLLOWER, cursor)
            seen += len(changes)
        if seen or looked is None or now - looked > DAY // 24:
            self._store.set_cursor(FOLLOWER, cursor)
            self._store.set_cursor(LOOKED, now)
        return seen

    def _mark_all(self, changes: Iterable[Change], profile: Profile) -> None:
        spans: dict[tuple[str, bool], set[str]] = {}
        personal = {each.id for each in profile.datasets.values() if each.personal is not None}
        for change in changes:
            dataset = self._dataset(change.stream)
            gone = change.kind == "deletion" or (change.kind == RETENTION and dataset in personal)
            named = _named(change)
            if dataset is not None:
                spans.setdefault((dataset, gone), set()).update(named)
            elif gone:
                self._withdraw_unknown(change, named)
            if change.kind == "deletion":
                _drop_orders(dataset)
        for (dataset, gone), names in spans.items():
            _mark(Q(dataset=dataset, name__in=names), withdraw=gone)

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

    @staticmethod
    def _withdraw_unknown(change: Change, names: Iterable[str]) -> None:
        """Withdraw the files that hold a stream that is gone: nobody else knows any more in which dataset it was."""
        for dump in Dump.objects.filter(size__gt=0, name__in=names):
            path = dump_path(dump.dataset, dump.name)
            if path.exists() and holds(path, change.stream):
                _mark(Q(pk=dump.pk), withdraw=True)


def holds(path: object, stream: str) -> bool:
    """Whether a file of Parquet has rows of a stream; reads its names alone, and those groups that may hold it."""
    file = parquet.ParquetFile(path)
    place = file.schema_arrow.names.index("stream")
    for group in range(file.num_row_groups):
        known = file.metadata.row_group(group).column(place).statistics
        if known is not None and known.has_min_max and not known.min <= stream <= known.max:
            continue
        column = file.read_row_group(group, columns=["stream"]).column(0)
        if compute.any(compute.equal(column, stream)).as_py():
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
    """Files that were ordered may hold what was deleted; of a stream that is gone nobody knows which."""
    found = Order.objects.exclude(over=None)
    for order in found if dataset is None else found.filter(dataset=dataset):
        forget(order)
