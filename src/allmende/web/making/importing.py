"""Takes in, once, what was brought and whose source has been released. A thread of the worker."""

import threading
import time
from copy import copy

import structlog

from allmende.domain.batch import Receipt
from allmende.domain.errors import AllmendeError
from allmende.web.accounts.audit import record
from allmende.web.intake import Intake
from allmende.web.making.models import DONE, FAILED, PROPOSED, RUNNING, Making
from allmende.web.making.proposing import is_released
from allmende.web.making.uploads import drop, path_of
from allmende.web.worker.rounds import Rounds

SECONDS = 2.0
"""Between two looks, and between two words on how far it is."""

log = structlog.get_logger("allmende.worker")


class ImportsThread(Rounds):
    """One file after the other.

    A file that the worker was killed in is taken from its beginning again: what was kept is counted as repeated.
    """

    def __init__(self, intake: Intake, stop: threading.Event) -> None:
        super().__init__("imports", stop, first=SECONDS)
        self._intake = intake

    def turn(self) -> float:
        """One look."""
        self.look()
        return SECONDS

    def look(self) -> int:
        """Take in what may be taken; gives how many."""
        done = 0
        for making in Making.objects.filter(state__in=(PROPOSED, RUNNING)):
            if self._stop_event.is_set():
                break
            name = making.about.get("id", "")
            if making.about.get("mode") == "once" and name in self._intake.sources and is_released(making):
                self._take(making, name)
                done += 1
        return done

    def _take(self, making: Making, name: str) -> None:
        making.touch(state=RUNNING, report={"share": 0.0})
        so_far = Receipt()
        told = time.monotonic()
        error = ""
        try:
            with path_of(making).open("rb") as file:

                def progress(receipt: Receipt) -> None:
                    nonlocal so_far, told
                    so_far = copy(receipt)
                    if self._stop_event.is_set():
                        raise InterruptedError("the worker is to stop")
                    if time.monotonic() - told >= SECONDS:
                        told = time.monotonic()
                        # the place in the file runs a little ahead of what is committed
                        share = file.tell() / max(making.size, 1)
                        making.touch(report={**_counts(so_far), "share": round(min(share, 0.99), 3)})

                so_far = self._intake.take_file(name, file, progress, name=making.name)
        except InterruptedError:
            return  # it stays as it is, and the next worker begins anew
        except FileNotFoundError:
            error = "the file is not here any more: bring it again"
        except AllmendeError as trouble:
            error = str(trouble)
        except Exception as trouble:  # a connector's code or a damaged file: the report says it, and others go on
            log.exception("a file that was brought could not be taken in", source=name)
            error = f"{type(trouble).__name__}: {trouble}"
        counts = _counts(so_far)
        if not error and so_far.read and so_far.rejected == so_far.read:
            error = "nothing of it could be read"
        making.touch(state=FAILED if error else DONE, report={**counts, "share": 1.0, "error": error})
        record("house:worker", "making.import", f"source:{name}", **counts)
        if not error:
            drop(making)


def _counts(receipt: Receipt) -> dict[str, int]:
    names = ("read", "accepted", "repeated", "corrected", "rejected", "gone")
    return {name: getattr(receipt, name) for name in names}
