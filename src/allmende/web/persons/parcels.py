"""What somebody gets who asks for all that is held of them: a ZIP with JSON, tables, and a page to read it."""

import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from allmende.domain.holdings import Json, Subject, holdings, plain
from allmende.web.persons.models import PersonRequest


def folder() -> Path:
    """Where parcels lie until they are fetched, or too old; only the house reads it."""
    path = Path(settings.ALLMENDE.home) / "persons"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def path_of(request: PersonRequest) -> Path:
    """The file of a request."""
    return folder() / f"{request.key}.zip"


def drop(request: PersonRequest) -> None:
    """Delete the file."""
    path_of(request).unlink(missing_ok=True)


def prune() -> int:
    """Delete files that are too old, or that no request knows; gives how many."""
    limit = time.time() - settings.ALLMENDE.person_file_days * 86_400
    known = {f"{key}.zip" for key in PersonRequest.objects.values_list("key", flat=True)}
    gone = 0
    for path in folder().iterdir():
        made = path.stat().st_mtime
        if made < limit or (path.name not in known and made < time.time() - 3600):
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def pack(request: PersonRequest, subject: Subject, language: str, house: str) -> dict[str, int]:
    """Write the file; gives the number of records by place. It has its name when it is whole."""
    path = path_of(request)
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
            counts = _fill(archive, subject, language, house)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return counts


def _fill(archive: zipfile.ZipFile, subject: Subject, language: str, house: str) -> dict[str, int]:
    told: dict[str, Json] = {}
    places, files = [], []
    for holding in holdings():
        rows: Any = plain(holding.tell(subject))
        told[holding.named.place] = rows
        places.append({"title": holding.named.title, "rows": [_shown(row) for row in rows]})
        for name, pieces in holding.files(subject):
            files.append(name)
            _write(archive, name, pieces)
    archive.writestr("data.json", _json(told))
    with override(language):
        values = {"places": places, "files": files, "subject": subject, "now": timezone.now(), "house": house}
        archive.writestr("index.html", render_to_string("persons/parcel.html", values))
    return {place: len(rows) for place, rows in told.items() if isinstance(rows, list)}


def _write(archive: zipfile.ZipFile, name: str, pieces: Iterator[bytes]) -> None:
    with archive.open(name, "w", force_zip64=True) as file:
        for piece in pieces:
            file.write(piece)


def _json(value: Json) -> bytes:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _shown(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, "" if value is None else str(value)) for name, value in row.items()]
