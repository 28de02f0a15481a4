"""The thread that looks after the catalogue: remembers descriptions, measures quality once a day, feeds a hub."""

import threading
from collections.abc import Callable

import structlog

from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR
from allmende.web.catalogue.gather import contracts, gather
from allmende.web.catalogue.hub import Hub, HubError
from allmende.web.catalogue.models import Description
from allmende.web.catalogue.notes import measure_quality, note_descriptions
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.worker.rounds import Rounds

LOOK_SECONDS = 60.0
_PUSH_MICROS = HOUR

log = structlog.get_logger("allmende.catalogue")


class CatalogueThread(Rounds):
    """Works until ``stop`` is set; nothing that goes wrong ends it."""

    def __init__(
        self,
        store: Store,
        profile: Callable[[], Profile],
        config: Config,
        stop: threading.Event,
        *,
        clock: Callable[[], int] = now_micros,
    ) -> None:
        super().__init__("catalogue", stop)
        self._store, self._open_profile, self._config = store, profile, config
        self._clock = clock
        self._noted: Profile | None = None
        self._pushed = 0
        self._hub: Hub | None = None

    def turn(self) -> float:
        """One round; each piece is committed whole."""
        try:
            self.round()
        except HubError as error:
            log.warning("the hub could not be told", error=str(error))
        return LOOK_SECONDS

    def end(self) -> None:
        """Let the hub go."""
        if self._hub is not None:
            self._hub.close()

    def round(self) -> None:
        """Do what is due."""
        profile, now = self._open_profile(), self._clock()
        if profile is not self._noted:
            note_descriptions(profile, now)
            self._noted = profile
        if self._measuring_is_due(now):
            measure_quality(self._store, contracts(), now=now, days=self._config.quality_days)
        if self._config.hub_url and now - self._pushed >= _PUSH_MICROS:
            # also where it fails: a hub that is down is not asked each minute
            self._pushed = now
            self._push(profile, now)

    def _measuring_is_due(self, now: int) -> bool:
        """Whether a day has ended since the last time. What was never measured is due, too."""
        end = now - now % DAY
        kept = Description.objects.filter(quality__isnull=False).values_list("quality", flat=True)
        measured = [quality["end"] for quality in kept]
        return not measured or max(measured) < end

    def _push(self, profile: Profile, now: int) -> None:
        """What everybody may know of goes to the hub, and nothing else: of what was taken over its origin tells."""
        config = self._config
        if self._hub is None:
            self._hub = Hub(config.hub_url, config.hub_catalogue or profile.id, config.hub_key)
        root = (config.public_url or config.url).rstrip("/")
        done = self._hub.push(gather(self._store, profile, ANONYMOUS, root, others=False), now)
        if done.put or done.deleted:
            log.info("the hub was told", put=len(done.put), deleted=len(done.deleted))
        for name, fault in done.failed.items():
            log.warning("the hub does not take a dataset", dataset=name, error=fault)
