"""Walks along the chain of the audit log."""

from collections.abc import Iterator

import msgspec

from allmende.web.accounts.chain import PRUNED, START, Break, Link, first_break
from allmende.web.accounts.models import AuditEntries, AuditEntry, AuditHead

_CHUNK = 1000


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``newest`` is the digest of the last entry that held: written down outside, it proves the log later."""

    entries: int
    newest: str
    break_: Break | None = None


def verify(known: str = "") -> Verdict:
    """Walk along the whole log, while others write. ``known`` is a digest from before that has to be in it still."""
    found = _walk(known)
    if found.break_ is not None and not found.entries:
        found = _walk(known)  # the oldest may have gone by their age between two looks
    return found


def look_at_newest(count: int = _CHUNK) -> Verdict:
    """Only the end of the chain, which takes milliseconds."""
    head = _head()
    rows = list(AuditEntry.objects.filter(id__lte=head.newest)[: count + 1])[::-1]
    if len(rows) <= count:
        return verify()
    broken, last, held = first_break(map(_link, rows[1:]), rows[0].digest)
    return Verdict(entries=held, newest=last, break_=broken or _ends_at(head, last))


def _walk(known: str) -> Verdict:
    head = _head()
    entries = AuditEntry.objects.filter(id__lte=head.newest)
    seen = {START} if not known else set()

    def links() -> Iterator[Link]:
        for row in _in_order(entries):
            if row.digest == known:
                seen.add(known)
            yield _link(row)

    broken, last, held = first_break(links(), _anchor())
    broken = broken or _ends_at(head, last)
    if broken is None and not seen:
        broken = Break(entry=None, what="the digest that was written down is not in the log")
    return Verdict(entries=held, newest=last, break_=broken)


def _in_order(entries: AuditEntries) -> Iterator[AuditEntry]:
    after = -(2**63)  # whoever puts one in chooses its number
    while rows := list(entries.filter(id__gt=after).order_by("id")[:_CHUNK]):
        yield from rows
        after = rows[-1].pk


def _anchor() -> str:
    """What stands before the oldest entry."""
    entry = AuditEntry.objects.filter(action=PRUNED).exclude(salt="").order_by("-id").first()
    return START if entry is None else str(entry.detail.get("before", START))


def _head() -> AuditHead:
    return AuditHead.objects.filter(pk=1).first() or AuditHead(pk=1)


def _ends_at(head: AuditHead, last: str) -> Break | None:
    if last != head.digest:
        return Break(entry=None, what=f"entry {head.newest}, the newest, is missing at the end")
    behind = AuditEntry.objects.filter(id__gt=head.newest).order_by("-id").values_list("id", flat=True).first()
    if behind is not None and behind > _head().newest:  # else it was written meanwhile
        return Break(entry=behind, what="it was put in behind the newest")
    return None


def _link(row: AuditEntry) -> Link:
    return Link(
        id=row.pk,
        at=row.at,
        action=row.action,
        payload=row.payload,
        salt=row.salt,
        payload_digest=row.payload_digest,
        digest=row.digest,
    )
