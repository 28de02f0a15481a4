"""One pass over a catalogue of others. Each page is kept in one transaction; what is gone is noticed in the end, and
only where all of it was seen."""

import hashlib
import threading
import zlib
from contextlib import closing

import msgspec
from django.db import transaction
from django.db.models import F

from allmende.connectors.fetching import FetchError
from allmende.connectors.harvesting.asking import Asker, Fetched, Known, Limits
from allmende.connectors.harvesting.kinds import recognise_kind, start
from allmende.domain.errors import AllmendeError
from allmende.domain.harvest import HarvestProfile, Piece
from allmende.domain.profile import Profile
from allmende.domain.times import parse_duration
from allmende.web.harvest.models import Harvested, Page, State

READER = 1
"""Another one where what is read of a page becomes another: then all is read anew."""
_SHOWN_FAULTS = 20


class HeldError(AllmendeError):
    """So much vanished at once that nothing was withdrawn."""


class Stopped(Exception):
    """The pass was asked to end."""


class Outcome(msgspec.Struct, kw_only=True):
    """What a pass did, or would do."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    own: int = 0
    """Datasets of ours that came back to us."""
    refused: int = 0
    held: int = 0
    pages: int = 0
    complete: bool = False
    faults: list[str] = []


def dataset_id(harvest: str, key: str) -> str:
    """Our id of a dataset of another catalogue."""
    return f"{harvest}-{hashlib.blake2b(key.encode(), digest_size=6).hexdigest()}"


class Pass:
    """Over one harvest; to be run once."""

    def __init__(
        self,
        harvest: HarvestProfile,
        profile: Profile,
        limits: Limits,
        root: str,
        now: int,
        *,
        dry: bool = False,
        accept: bool = False,
        stop: threading.Event | None = None,
    ) -> None:
        """``now`` in microseconds. ``dry``: keep nothing. ``accept``: withdraw however much vanished."""
        self._harvest, self._profile, self._limits, self._root = harvest, profile, limits, root
        self._now, self._dry, self._accept, self._stop = now, dry, accept, stop
        self._own = {name for dataset in profile.datasets.values() for name in dataset.other_ids if name.strip()}
        self._met: set[str] = set()
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """What came before an error stands. Raises FetchError, Refused, httpx's errors, ConfigurationError, HeldError,
        Stopped."""
        state = State.objects.filter(harvest=self._harvest.id).first() or State(harvest=self._harvest.id)
        with closing(Asker(self._harvest, self._limits, self._profile.languages[0])) as asker:
            self._walk(asker, state)
        return self.outcome

    def _walk(self, asker: Asker, state: State) -> None:
        settings = _digest_of(self._harvest)
        anew = state.settings != settings
        kind = self._harvest.kind or state.kind or recognise_kind(asker)
        since = "" if anew or self._all_is_due(state) else state.newest
        way = start(kind, asker, {} if anew else self._known(), since)
        newest, members, total = state.newest, 0, None
        for page in way.pages:
            if self._stop is not None and self._stop.is_set():
                raise Stopped
            self._take(page, anew)
            newest, members = max(newest, page.newest), members + page.members
            total = page.total if total is None else max(total, page.total or 0)
            self.outcome.pages += 1
        self.outcome.complete = way.complete
        if way.complete and total is not None and members < total:
            raise FetchError(f"The catalogue speaks of {total:,} datasets and gave {members:,}.")
        held = self._withdraw(None if way.complete else way.gone(self._names()))
        self._finish(kind, settings, newest, held)
        if held:
            share = f"{self._harvest.most_withdrawn:.0%}"
            raise HeldError(
                f"{held:,} datasets vanished at once, more than {share}; none was withdrawn. "
                f"If that is right: allmende harvest {self._harvest.id} --accept"
            )

    def _all_is_due(self, state: State) -> bool:
        return state.complete is None or self._now - state.complete >= parse_duration(self._harvest.complete)

    def _known(self) -> dict[str, Known]:
        rows = Page.objects.filter(harvest=self._harvest.id).defer("rest", "datasets")
        return {
            row.address: Known(signs=row.signs, next=row.next, total=row.total, members=row.members)
            for row in rows.iterator(500)
            if row.signs
        }

    def _names(self) -> dict[str, str]:
        """CKAN's names of what is there: our ids by them."""
        kept = Harvested.objects.filter(harvest=self._harvest.id, gone__isnull=True).exclude(name="")
        return dict(kept.values_list("name", "dataset"))

    def _take(self, page: Fetched, anew: bool) -> None:
        self.outcome.refused += len(page.faults)
        self.outcome.faults += page.faults[: _SHOWN_FAULTS - len(self.outcome.faults)]
        with transaction.atomic():
            if page.pieces is None:
                self._same_page(page)
                return
            ids, changed = [], False
            for piece in page.pieces:
                if self._is_ours(piece):
                    self.outcome.own += 1
                    continue
                name = dataset_id(self._harvest.id, piece.key)
                ids.append(name)
                if name in self._met:
                    continue
                self._met.add(name)
                changed = self._put(name, piece, anew) or changed
            if self._dry:
                return
            changed = self._put_page(page, ids) or changed
            if changed:
                self._changed()

    def _is_ours(self, piece: Piece) -> bool:
        mine = f"{self._root}/dataset/"
        return any(name.startswith(mine) or name in self._own for name in piece.names)

    def _same_page(self, page: Fetched) -> None:
        row = Page.objects.get(id=_page_id(self._harvest.id, page.address))
        fresh = [name for name in row.datasets if name not in self._met]
        self._met.update(fresh)
        self.outcome.unchanged += len(fresh)
        if not self._dry:
            kept = Harvested.objects.filter(dataset__in=fresh)
            back = kept.filter(gone__isnull=False).update(gone=None)
            kept.update(seen=self._now)
            Page.objects.filter(id=row.id).update(seen=self._now)
            if back:
                self._changed()

    def _put(self, name: str, piece: Piece, anew: bool) -> bool:
        """Keep a dataset; whether anything is another than it was."""
        kept = Harvested.objects.filter(dataset=name)
        before = kept.only("digest", "gone").first()
        same = before is not None and before.digest == piece.digest and before.gone is None
        if before is None:
            self.outcome.new += 1
        elif same:
            self.outcome.unchanged += 1
        else:
            self.outcome.changed += 1
        if self._dry:
            return False
        if same and not anew:
            kept.update(seen=self._now)
            return False
        fields = {
            "harvest": self._harvest.id, "key": piece.key, "node": piece.node, "digest": piece.digest,
            "names": list(piece.names), "said": msgspec.to_builtins(piece.said), "page": piece.page,
            "lines": zlib.compress(piece.lines), "source": zlib.compress(piece.source) if piece.source else b"",
            "name": piece.name, "seen": self._now, "gone": None,
        }  # fmt: skip
        if not same:
            fields["changed"] = self._now
        if before is None:
            Harvested.objects.create(dataset=name, first=self._now, **fields)
        else:
            kept.update(**fields)
        return True

    def _put_page(self, page: Fetched, ids: list[str]) -> bool:
        key = _page_id(self._harvest.id, page.address)
        rest = zlib.compress(page.rest) if page.rest else b""
        before = Page.objects.filter(id=key).values_list("rest", flat=True).first()
        Page.objects.update_or_create(
            id=key,
            defaults={
                "harvest": self._harvest.id, "address": page.address, "signs": dict(page.signs), "next": page.next,
                "total": page.total, "members": page.members, "datasets": ids, "rest": rest, "seen": self._now,
            },
        )  # fmt: skip
        return bytes(before or b"") != rest

    def _changed(self) -> None:
        State.objects.get_or_create(harvest=self._harvest.id)
        State.objects.filter(harvest=self._harvest.id).update(version=F("version") + 1)

    def _withdraw(self, names: list[str] | None) -> int:
        """Withdraw what is gone: these, or what was not met in this pass. Gives how many were held back instead."""
        live = Harvested.objects.filter(harvest=self._harvest.id, gone__isnull=True)
        there = live.count()
        if names is None:
            lost = live.exclude(dataset__in=self._met) if self._dry else live.filter(seen__lt=self._now)
        else:
            lost = live.filter(dataset__in=names)
        number = lost.count()
        if number > max(1, self._harvest.most_withdrawn * there) and not self._accept:
            self.outcome.held = number
            return number
        self.outcome.withdrawn = number
        if number and not self._dry:
            with transaction.atomic():
                lost.update(gone=self._now)
                self._changed()
        return 0

    def _finish(self, kind: str, settings: str, newest: str, held: int) -> None:
        if self._dry:
            return
        with transaction.atomic():
            if self.outcome.complete:
                # pages that are no more tell nothing
                lost = Page.objects.filter(harvest=self._harvest.id, seen__lt=self._now)
                if lost.delete()[0]:
                    self._changed()
            counts = {name: getattr(self.outcome, name) for name in ("new", "changed", "unchanged", "withdrawn", "own",
                                                                     "refused")}  # fmt: skip
            fields = {"kind": kind, "settings": settings, "newest": newest, "counts": counts, "held": held,
                      "faults": self.outcome.faults[:_SHOWN_FAULTS]}  # fmt: skip
            if self.outcome.complete:
                fields["complete"] = self._now
            State.objects.update_or_create(harvest=self._harvest.id, defaults=fields)


def _page_id(harvest: str, address: str) -> str:
    return f"{harvest}:{hashlib.blake2b(address.encode(), digest_size=12).hexdigest()}"


def _digest_of(harvest: HarvestProfile) -> str:
    """Of what decides what is read of a page."""
    parts = (READER, harvest.address, harvest.kind, harvest.language, harvest.publishers, harvest.themes)
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()
