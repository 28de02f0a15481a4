"""Marks of what was erased: in the database, and in a file of the home, which a restored backup does not replace."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

FILE = "erased.jsonl"

log = structlog.get_logger("allmende.persons")
Mark = dict[str, str]


def note_erased(model: type[models.Model], key: int, made: datetime, *, how: str = "") -> None:
    """A record is being erased, in the transaction that is open; ``made`` is the moment in which it was made."""
    from allmende.web.persons.models import ErasedMark

    salt = secrets.token_hex(16)
    mark = ErasedMark.objects.create(salt=salt, digest=digest_of(salt, model, key, made), how=how)
    line = {"at": mark.at.isoformat(), "salt": salt, "digest": mark.digest, "how": how}
    transaction.on_commit(lambda: _append([line]))


def digest_of(salt: str, model: type[models.Model], key: int, made: datetime) -> str:
    """What a record is known by again."""
    told = f"{salt}|{model._meta.label_lower}|{key}|{made.astimezone(UTC).isoformat(timespec='microseconds')}"
    return hashlib.sha256(told.encode()).hexdigest()


def known_marks() -> list[Mark]:
    """All, from the database and from the file, each once."""
    from allmende.web.persons.models import ErasedMark

    found = {line["digest"]: line for line in _read()}
    for each in ErasedMark.objects.all():
        found[each.digest] = {"at": each.at.isoformat(), "salt": each.salt, "digest": each.digest, "how": each.how}
    return list(found.values())


def keep_marks(marks: Iterable[Mark]) -> None:
    """Let the database hold these, too."""
    from allmende.web.persons.models import ErasedMark

    known = set(ErasedMark.objects.values_list("digest", flat=True))
    for mark in marks:
        if mark["digest"] not in known:
            ErasedMark.objects.create(
                at=datetime.fromisoformat(mark["at"]), salt=mark["salt"], digest=mark["digest"], how=mark["how"]
            )


def finder(marks: Iterable[Mark]) -> Callable[[type[models.Model], int, datetime], str | None]:
    """Whether a record was erased: what became of it, or None."""
    by_salt = [(mark["salt"], mark["digest"], mark["how"]) for mark in marks]

    def find(model: type[models.Model], key: int, made: datetime) -> str | None:
        return next((how for salt, digest, how in by_salt if digest_of(salt, model, key, made) == digest), None)

    return find


def prune_marks() -> int:
    """Forget what no backup holds any more; gives how many."""
    from allmende.web.persons.models import ErasedMark

    before = timezone.now() - timedelta(days=settings.ALLMENDE.backup_kept_days)
    gone, _ = ErasedMark.objects.filter(at__lt=before).delete()
    lines = _read()
    left = [line for line in lines if datetime.fromisoformat(line["at"]) >= before]
    if len(left) < len(lines):
        draft = _path().with_suffix(".part")
        draft.unlink(missing_ok=True)
        _append(left, draft)
        draft.replace(_path())
    return gone


def _path() -> Path:
    return Path(settings.ALLMENDE.home) / FILE


def _read() -> list[Mark]:
    try:
        text = _path().read_text("utf-8")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            said: Any = json.loads(line)
            found.append({name: str(said[name]) for name in ("at", "salt", "digest", "how")})
        except (ValueError, KeyError, TypeError):
            log.warning("a line about what was erased cannot be read", file=str(_path()))
    return found


def _append(lines: Iterable[Mark], path: Path | None = None) -> None:
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    number = os.open(path or _path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
