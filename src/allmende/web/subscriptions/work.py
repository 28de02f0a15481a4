"""The worker's threads of subscriptions: one looks for what happened, one for each way hands letters over."""

import threading
from collections.abc import Callable

from django.utils import timezone

from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.subscriptions.asking import tidy
from allmende.web.subscriptions.ledger import collect
from allmende.web.subscriptions.post import Post, Way
from allmende.web.worker.rounds import Rounds

LOOK_SECONDS = 10.0
POST_SECONDS = 2.0
_TIDY_ROUNDS = 60


class CollectThread(Rounds):
    """Looks for what happened, and tidies up now and then."""

    def __init__(self, store: Store, profile: Callable[[], Profile], config: Config, stop: threading.Event) -> None:
        super().__init__("subscriptions", stop)
        self._store, self._profile, self._config = store, profile, config
        self._round = 0

    def turn(self) -> float:
        """One look."""
        collect(self._profile(), self._store, now_micros(), days=self._config.subscription_days)
        if self._round % _TIDY_ROUNDS == 0:
            tidy(timezone.now(), self._config)
        self._round += 1
        return LOOK_SECONDS


class PostThread(Rounds):
    """Hands over what is due on one way."""

    def __init__(self, way: Way, profile: Callable[[], Profile], config: Config, stop: threading.Event) -> None:
        super().__init__(f"subscriptions-{way.name}", stop)
        self._post = Post(way, profile, config)

    def turn(self) -> float:
        """What is due."""
        self._post.hand_over()
        return POST_SECONDS
