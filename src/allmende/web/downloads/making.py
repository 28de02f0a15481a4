"""The thread of the worker that makes the files that were ordered, one after the other, in the order they came in.

A worker that is killed leaves a folder that its successor empties: a file is begun anew, and is seen by nobody before
it is whole.
"""

import shutil
import threading
import time
from collections.abc import Callable

import structlog
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from allmende.domain.errors import AllmendeError, InvalidInput, LimitExceeded, NotFound
from allmende.domain.profile import Profile
from allmende.domain.selection import restore
from allmende.domain.store import Store
from allmende.faces.files.formats import FORMATS
from allmende.faces.files.make import make_file
from allmende.faces.files.readings import Source
from allmende.web.config import Config
from allmende.web.downloads.describing import describe_file
from allmende.web.downloads.folder import bytes_in, demand_room, folder, path_of, settle, workshop
from allmende.web.downloads.models import FAILED, MAKING, READY, WAITING, Order
from allmende.web.downloads.rights import offered, reader_of
from allmende.web.downloads.words import words_of
from allmende.web.reads.noting import noting
from allmende.web.worker.rounds import Rounds

SECONDS = 1.0
"""Between two looks, and between two words on how far a file is."""
ATTEMPTS = 3
"""How often a file is begun: what a worker dies of must not kill it for ever."""

log = structlog.get_logger("allmende.downloads")


class Stopped(Exception):
    """The worker is to stop, or nobody wants the file any more."""


class OrdersThread(Rounds):
    """Order after order."""

    def __init__(
        self, store: Store, profile: Callable[[], Profile], config: Config, stop: threading.Event
    ) -> None:  # fmt: skip
        super().__init__("downloads", stop)
        self._store, self._profile, self._config = store, profile, config

    def turn(self) -> float:
        """The next one."""
        return 0.0 if self.step() else SECONDS

    def step(self) -> bool:
        """Make the file of the next order; whether there was one."""
        # One that is being made was left by a worker before: there is no other one at work.
        order = Order.objects.filter(state__in=(WAITING, MAKING)).select_related("user").order_by("asked").first()
        if order is None:
            return False
        order.attempts += 1
        order.state = MAKING
        order.save(update_fields=["attempts", "state"])
        error = ""
        try:
            if order.attempts > ATTEMPTS:
                raise AllmendeError(_("Making this file failed several times."))
            with translation.override(order.language):
                self._make(order)
        except Stopped:
            Order.objects.filter(pk=order.pk).update(attempts=F("attempts") - 1)
            return False
        except InvalidInput as trouble:
            with translation.override(order.language):
                error = words_of(trouble)
        except AllmendeError as trouble:
            error = str(trouble)
        except Exception as trouble:  # a library's fault with somebody's data: the order says so, and others go on
            log.exception("a file could not be made", dataset=order.dataset, format=order.format)
            with translation.override(order.language):
                error = _("The file could not be made: a fault of ours (%(kind)s).") % {"kind": type(trouble).__name__}
        finally:
            shutil.rmtree(folder() / f"{order.key}.part", ignore_errors=True)
        if error:
            Order.objects.filter(pk=order.pk).update(state=FAILED, over=timezone.now(), error=error[:1000])
            log.warning("an order failed", dataset=order.dataset, format=order.format, error=error)
        return True

    def _make(self, order: Order) -> None:
        profile, config = self._profile(), self._config
        reader, selection = reader_of(order), restore(order.selection)
        dataset = offered(profile, order.dataset, reader)
        if dataset is None:
            raise NotFound(_("There is no such dataset (any more)."))
        format_ = FORMATS[order.format]
        demand_room(config, folder(), config.downloads_bytes, "ALLMENDE_DOWNLOADS_BYTES")
        place = workshop(order.key, folder())
        store = noting(self._store) if reader.datasets else self._store
        source = Source(store=store, reader=reader, zone=profile.time_zone, simulated=dataset.simulated)
        made = place / f"file.{format_.suffix}"
        watch = _Watch(order, self._stop_event, config)
        rows = make_file(source, describe_file(profile, config, selection, order.language), format_, made, watch)
        size, digest = settle(made, path_of(order))
        done = {"state": READY, "over": timezone.now(), "rows": rows, "size": size, "digest": digest}
        if not Order.objects.filter(pk=order.pk, state=MAKING).update(**done):
            # nobody wants it any more, or something in it was deleted meanwhile: then it waits to be made anew
            path_of(order).unlink(missing_ok=True)
            return
        log.info("a file was made", dataset=order.dataset, format=order.format, rows=rows, size=size)


class _Watch:
    """Ends a making that is too large, takes too long, or that nobody wants any more."""

    def __init__(self, order: Order, stop: threading.Event, config: Config) -> None:
        self._order, self._stop_event, self._config = order, stop, config
        self._began = self._told = time.monotonic()

    def __call__(self, rows: int) -> None:
        if self._stop_event.is_set():
            raise Stopped
        now = time.monotonic()
        if now - self._told < SECONDS:
            return
        self._told = now
        config = self._config
        if now - self._began > config.download_seconds:
            raise LimitExceeded(
                _("Making this takes too long: choose a shorter time or fewer streams."),
                setting="ALLMENDE_DOWNLOAD_SECONDS",
            )
        if bytes_in(folder() / f"{self._order.key}.part") > config.download_bytes:
            raise LimitExceeded(
                _("The file gets too large: choose a shorter time, or Parquet."),
                setting="ALLMENDE_DOWNLOAD_BYTES",
            )
        demand_room(config, folder(), config.downloads_bytes, "ALLMENDE_DOWNLOADS_BYTES")
        if not Order.objects.filter(pk=self._order.pk).update(rows=rows):
            raise Stopped
