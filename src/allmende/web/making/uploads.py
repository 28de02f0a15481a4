"""The files that sources are made of: in a folder of the home that its owner alone reads, by words nobody guesses."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from allmende.connectors.fetching import PUBLIC_ONLY, FetchError, download, open_client
from allmende.domain.connector import Source
from allmende.domain.errors import AllmendeError, InvalidInput, LimitExceeded
from allmende.web.intake import DiskFloor
from allmende.web.making.models import Making
from allmende.web.worker.trouble import in_words

_CHUNK = 1024 * 1024


def folder() -> Path:
    """Where the files lie; made where it is missing."""
    place: Path = settings.ALLMENDE.home / "making"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def path_of(making: Making) -> Path:
    """The file of one; it may be gone."""
    return folder() / making.key


def keep_upload(making: Making, upload: UploadedFile) -> None:
    """Keep what a form brought: Django has large files on the disk already. Raises StorageFull, LimitExceeded."""
    limit = settings.ALLMENDE.making_bytes
    if (upload.size or 0) > limit:
        raise LimitExceeded(f"the file is larger than {limit / 1e6:,.0f} MB", setting="ALLMENDE_MAKING_BYTES")

    def write(file: BinaryIO) -> None:
        shutil.copyfileobj(upload, file, _CHUNK)

    _keep(making, write)


def keep_download(making: Making) -> None:
    """Keep what the making's address gives. Raises InvalidInput in words, StorageFull."""
    config = settings.ALLMENDE
    source = Source(id="making", connector="", dataset="", address=making.address, settings=network_settings())

    def write(file: BinaryIO) -> None:
        try:
            with open_client(source, read_seconds=min(20.0, config.making_seconds)) as client:
                download(
                    client, making.address, file, max_bytes=config.making_bytes, total_seconds=config.making_seconds
                )
        except FetchError as error:
            raise InvalidInput(error.message) from None
        except AllmendeError:
            raise
        except Exception as error:  # whatever a stranger's host does, it is to be said in words
            raise InvalidInput(in_words(error, making.address)) from None

    _keep(making, write)


def network_settings() -> dict[str, bool]:
    """What a source says whose address an editor named: not into the house's own network, unless that is allowed."""
    return {} if settings.ALLMENDE.private_addresses else {PUBLIC_ONLY: True}


def _keep(making: Making, write: Callable[[BinaryIO], None]) -> None:
    DiskFloor(settings.ALLMENDE).check()
    path = path_of(making)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            write(file)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    making.size = path.stat().st_size


def drop(making: Making) -> None:
    """Remove the file."""
    path_of(making).unlink(missing_ok=True)


def prune() -> int:
    """Remove what is over, and files that nobody knows; gives how many makings."""
    gone = 0
    for making in Making.over(settings.ALLMENDE.making_days):
        drop(making)
        making.delete()
        gone += 1
    known = set(Making.objects.values_list("key", flat=True))
    for path in folder().iterdir():
        # one that is being brought right now is not known yet
        if path.name not in known and path.is_file() and _is_old(path):
            path.unlink(missing_ok=True)
    return gone


def _is_old(path: Path) -> bool:
    import time

    try:
        return time.time() - path.stat().st_mtime > 3600
    except OSError:
        return False
