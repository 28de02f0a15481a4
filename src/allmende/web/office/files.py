"""Files that come with drafts: kept in the database by their digest, within the operator's limits."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext_noop as _n

from allmende.domain.errors import LimitExceeded
from allmende.web.office.models import Revision, StoredFile


def keep(files: Mapping[str, bytes]) -> dict[str, str]:
    """Keep files; gives their digests by name. Raises LimitExceeded."""
    config = settings.ALLMENDE
    digests = {}
    for name, body in files.items():
        if len(body) > config.office_file_bytes:
            most = f"{config.office_file_bytes / 1e6:,.1f}"
            told = _n("the file is larger than %(most)s MB")
            raise LimitExceeded(told, setting="ALLMENDE_OFFICE_FILE_BYTES", where=name, most=most)
        digest = hashlib.sha256(body).hexdigest()
        digests[name] = digest
        if StoredFile.objects.filter(pk=digest).exists():
            continue
        total = StoredFile.objects.aggregate(total=Sum("size"))["total"] or 0
        if total + len(body) > config.office_bytes:
            raise LimitExceeded(
                _n("all files of the office together would be larger than %(most)s MB"),
                most=f"{config.office_bytes / 1e6:,.0f}",
                setting="ALLMENDE_OFFICE_BYTES",
                where=name,
            )
        StoredFile.objects.create(digest=digest, size=len(body), body=body)
    return digests


def read(digests: Mapping[str, str]) -> dict[str, bytes]:
    """The files by name; one that is gone is left out, and missed by the check of what names it."""
    if not digests:
        return {}
    kept = dict(StoredFile.objects.filter(pk__in=digests.values()).values_list("digest", "body"))
    return {name: bytes(kept[digest]) for name, digest in digests.items() if digest in kept}


def prune(before: datetime) -> int:
    """Delete files older than a time that no revision names; gives how many."""
    named = {digest for digests in Revision.objects.exclude(files={}).values_list("files", flat=True)
             for digest in digests.values()}  # fmt: skip
    gone, _ = StoredFile.objects.filter(created__lt=before).exclude(pk__in=named).delete()
    return gone
