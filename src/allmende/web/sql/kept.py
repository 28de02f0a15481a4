"""Answers that are kept for who asks the same again: in a folder for each state of the dumps. All of them are of open
data, and who asked is not kept."""

import contextlib
import os
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

import msgspec
from django.conf import settings

from allmende.knowledge.sql.job import Answer, Limits

_AGE = 3600.0
"""Seconds after which what a killed process left behind is cleared away."""


def folder() -> Path:
    """Of all that belongs to questions; made where it is missing."""
    place: Path = settings.ALLMENDE.home / "sql"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def place_of(state: str, query: str, limits: Limits) -> Path:
    """Where an answer is kept: rows that are cut by other limits are another answer."""
    digest = sha256(f"{limits.rows} {limits.bytes} {query}".encode()).hexdigest()
    return folder() / f"state-{state}" / f"{digest}.json"


def find(path: Path) -> Answer | None:
    """The answer, if it is kept."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Answer)
        os.utime(path)
    except (OSError, msgspec.DecodeError):
        return None
    return found


def keep(path: Path, answer: Answer) -> None:
    """Keep it, and drop what is of another state or too much. Where that fails, nothing is kept."""
    said = msgspec.json.encode(answer)
    if len(said) > settings.ALLMENDE.sql_cache_bytes:
        return
    with contextlib.suppress(OSError):
        drop_others(path.parent.name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(said)
        Path(file.name).replace(path)
        _shrink(path.parent, settings.ALLMENDE.sql_cache_bytes)


def drop_others(state: str) -> int:
    """Delete what is kept of other states of the dumps than that of a folder's name; gives how many states."""
    others = [place for place in folder().glob("state-*") if place.name != state]
    for place in others:
        shutil.rmtree(place, ignore_errors=True)
    return len(others)


def sweep(now: float) -> int:
    """Delete what killed processes left behind; gives how much. ``now`` in seconds."""
    gone = 0
    for place in folder().glob("ask-*"):
        with contextlib.suppress(OSError):
            if now - place.stat().st_mtime > _AGE:
                shutil.rmtree(place, ignore_errors=True)
                gone += 1
    return gone


def _shrink(place: Path, most: int) -> None:
    """Delete those that were not asked for longest."""
    known = sorted(((path.stat().st_mtime, path.stat().st_size, path) for path in place.iterdir()), reverse=True)
    total = 0
    for _, size, path in known:
        total += size
        if total > most:
            path.unlink(missing_ok=True)
