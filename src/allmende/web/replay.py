"""Takes what was rejected in again, after its cause was mended. What had been taken beside it is not doubled."""

from collections.abc import Iterable

import msgspec

from allmende.domain.batch import Receipt
from allmende.domain.connector import Payload
from allmende.domain.ingest import is_cut
from allmende.domain.store import KeptRejection
from allmende.web.intake import Intake


class Replayed(msgspec.Struct, kw_only=True):
    """What became of the chosen rejections."""

    chosen: int = 0
    settled: int = 0
    total: Receipt
    troubles: list[str] = []


def can_replay(rejection: KeptRejection) -> bool:
    """Whether it waits, and is whole."""
    return rejection.replayed_at is None and not is_cut(rejection.reason)


def replay(intake: Intake, chosen: Iterable[KeptRejection], *, strict: bool = False) -> Replayed:
    """Take each; one of which nothing is rejected again is settled. ``strict`` raises the first trouble."""
    done = Replayed(total=Receipt())
    for listed in chosen:
        done.chosen += 1
        kept = intake.store.rejection(listed.number)
        # The time of its first coming is kept: some payloads carry none of their own.
        payload = Payload(body=kept.body, name=kept.name, received_at=kept.received_at)
        try:
            receipt = intake.take(kept.source, payload, only=kept.where)
        except Exception as error:  # the others can be taken all the same
            if strict:
                raise
            done.troubles.append(f"{kept.number}: {error}")
            continue
        done.total.add(receipt)
        if not receipt.rejected:
            intake.store.settle_rejection(kept.number, intake.clock())
            done.settled += 1
    return done
