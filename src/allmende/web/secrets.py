"""Secrets that the house makes for itself, one file each in the home, readable by its owner alone."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from allmende.domain.errors import ConfigurationError


def _make() -> str:
    return secrets.token_urlsafe(48)


def kept_secret(home: Path, name: str, *, make: Callable[[], str] = _make) -> str:
    """The secret in ``home/name``; made when it is asked for first. Raises ConfigurationError.

    Two processes that ask at once get the same: the file appears whole, and the first one wins. Where there is no home
    yet, the secret is made for this process and not kept.
    """
    path = home / name
    if not home.is_dir():
        return make()
    try:
        if not path.exists():
            _write_once(path, make())
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the secret cannot be read or written: {error}", where=str(path)) from None
    if len(text) < 32:
        raise ConfigurationError("the secret is shorter than 32 characters; remove the file", where=str(path))
    return text


def _write_once(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
