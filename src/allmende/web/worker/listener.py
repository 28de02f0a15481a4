"""Listens to a source that sends by WebSocket: each frame is a payload and takes the one way in.

A WebSocket acknowledges nothing and keeps nothing for us: what is sent while we are away is lost to us, which the
source watch sees as silence.
"""

import threading
import time

import structlog
from django.db import close_old_connections
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from allmende.connectors.fetching import CONNECT_SECONDS, USER_AGENT, filled_address, headers, without_secrets
from allmende.domain.addresses import hide_secrets
from allmende.domain.connector import Payload
from allmende.web.intake import GROUP, Intake
from allmende.web.sources import PreparedSource
from allmende.web.worker.pauses import pause_after
from allmende.web.worker.trouble import in_words

MOST_BYTES = 8 * 1024 * 1024
"""Of one frame."""
_PING_SECONDS = 20.0
_WAIT_SECONDS = 0.5
_NOTE_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
"""Seconds; shorter than for what is asked, since what is sent meanwhile is lost."""

log = structlog.get_logger("allmende.worker")


class Listener(threading.Thread):
    """Listens until ``stop`` is set; connects again with longer and longer pauses."""

    def __init__(self, prepared: PreparedSource, intake: Intake, stop: threading.Event) -> None:
        super().__init__(name=f"listener-{prepared.source.id}", daemon=True)
        self._source = prepared.source
        self._intake = intake
        self._stop_event = stop
        self._error = ""
        self._failures = 0
        self._noted = float("-inf")

    def run(self) -> None:
        """Connect, listen, connect again. Nothing that goes wrong ends it."""
        while not self._stop_event.is_set():
            close_old_connections()
            try:
                self._listen()
            except Exception as trouble:  # whatever it is, the next attempt may go well
                if self._stop_event.is_set():
                    return
                self._failures += 1
                self._tell(without_secrets(self._source, in_words(trouble, self._source.address)))
            finally:
                close_old_connections()
            self._stop_event.wait(pause_after(max(1, self._failures), _FIRST_PAUSE, longest=_LONGEST_PAUSE))

    def _listen(self) -> None:
        with connect(
            filled_address(self._source),
            additional_headers=headers(self._source),
            user_agent_header=USER_AGENT,
            open_timeout=CONNECT_SECONDS,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
            close_timeout=1.0,
            max_size=MOST_BYTES,
            proxy=None,  # no proxy of the machine's environment decides where a city's data comes from
        ) as connection:
            self._tell("")
            while not self._stop_event.is_set():
                frames = self._receive(connection)
                if frames:
                    self._intake.take_group([(self._source.id, frame) for frame in frames])
                    self._failures = 0  # not when it lets us in, but when it gives: else it would be asked too often
                if time.monotonic() - self._noted > _NOTE_SECONDS:
                    self._tell("")

    def _receive(self, connection: ClientConnection) -> list[Payload]:
        """What came within half a second, and everything that lies there by then."""
        frames: list[Payload] = []
        while len(frames) < GROUP:
            try:
                frame = connection.recv(timeout=0 if frames else _WAIT_SECONDS)
            except TimeoutError:
                break
            except ConnectionClosed:
                if frames:  # what came before is taken; the next round finds it closed
                    break
                raise
            body = frame.encode() if isinstance(frame, str) else frame
            frames.append(Payload(body=body, name=self._source.address, received_at=self._intake.clock()))
        return frames

    def _tell(self, error: str) -> None:
        """Note how it stands; log a change, not each attempt."""
        address = hide_secrets(self._source.address)
        if error and error != self._error:
            log.warning("a source fails", source=self._source.id, address=address, error=error)
        elif self._error and not error:
            log.info("a source works again", source=self._source.id, address=address)
        self._error = error
        self._noted = time.monotonic()
        try:
            self._intake.store.note_attempt(self._source.id, self._intake.clock(), error)
        except Exception as trouble:  # told from where a failure is told, which must not end the thread
            log.warning("the state of a source could not be noted", source=self._source.id, error=str(trouble))
