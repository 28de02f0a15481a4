"""Fetch a file, go on where a transfer broke off, and leave a file alone that is the same still."""

import hashlib
import os
from pathlib import Path

from allmende.client.errors import HouseError, Unreachable
from allmende.client.web import Web

_ATTEMPTS = 5


def fetch(web: Web, address: str, path: Path, sha256: str = "") -> Path:
    """Write what lies at an address to a file; gives its path. The file is whole or as it was before: what is there so
    far lies beside it as ``….part``, with the entity tag, by which the next call goes on.

    Raises HouseError where the digest is another one than was announced.
    """
    part, note = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.tag")
    path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            if not _transfer(web, address, path, part, note):
                return path
            break
        except Unreachable:
            if attempt == _ATTEMPTS:
                raise
    if sha256 and _digest(part) != sha256:
        part.unlink()
        raise HouseError(f"{address} is not what was announced: its digest is another one; try again")
    part.replace(path)
    return path


def _transfer(web: Web, address: str, path: Path, part: Path, note: Path) -> bool:
    """One attempt; False where the file is the same still."""
    tag = note.read_text("utf-8") if note.exists() else ""
    headers = {}
    if tag and part.exists() and part.stat().st_size:
        headers = {"Range": f"bytes={part.stat().st_size}-", "If-Range": tag}
    elif tag and path.exists():
        headers = {"If-None-Match": tag}
    with web.stream(address, headers) as answer:
        if answer.status_code == 304:
            return False
        if answer.status_code == 416:  # the part is all there is
            return True
        goes_on = answer.status_code == 206
        note.write_text(answer.headers.get("ETag", ""), "utf-8")
        with part.open("ab" if goes_on else "wb") as file:
            for piece in answer.iter_bytes():
                file.write(piece)
            os.fsync(file.fileno())
    return True


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
