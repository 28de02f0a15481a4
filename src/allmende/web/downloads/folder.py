"""Where the files lie: in a folder of the home that its owner alone reads, by words that nobody guesses."""

import hashlib
import os
import shutil
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from allmende.domain.errors import LimitExceeded, StorageFull
from allmende.faces.files.formats import FORMATS
from allmende.web.config import Config
from allmende.web.disk import free_bytes
from allmende.web.downloads.models import Order

_CHUNK = 1024 * 1024


def folder() -> Path:
    """Of orders; made where it is missing."""
    place: Path = settings.ALLMENDE.home / "downloads"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def path_of(order: Order) -> Path:
    """The file of an order that is ready."""
    return folder() / f"{order.key}.{FORMATS[order.format].suffix}"


def dumps_folder() -> Path:
    """Of dumps, a folder for each dataset."""
    place: Path = settings.ALLMENDE.home / "dumps"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def dump_path(dataset: str, name: str) -> Path:
    """The file of a dump; it may not be there."""
    return dumps_folder() / dataset / f"{name}.parquet"


def workshop(name: str, place: Path) -> Path:
    """An empty folder in which a file is made; what a killed worker left there is gone."""
    found = place / f"{name}.part"
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir(mode=0o700)
    return found


def settle(made: Path, path: Path) -> tuple[int, str]:
    """Put a file that is whole to its place, in one step; gives size and SHA-256."""
    digest = hashlib.sha256()
    with made.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        os.fsync(file.fileno())
        size = file.tell()
    made.chmod(0o600)
    made.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return size, digest.hexdigest()


def bytes_in(place: Path) -> int:
    """Of all files in a folder and below it; one that goes meanwhile counts nothing."""
    total = 0
    for path in place.rglob("*"):
        try:
            if path.is_file():
                total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def demand_room(config: Config, place: Path, limit: int, setting: str) -> None:
    """Raise LimitExceeded where the files of a folder have no more room, StorageFull where the disk has none."""
    if free_bytes(config) < config.downloads_disk:
        raise StorageFull(_("The disk is nearly full; no files are made now."))
    if bytes_in(place) > limit:
        raise LimitExceeded(_("There is no more room for files: try again later."), setting=setting)
