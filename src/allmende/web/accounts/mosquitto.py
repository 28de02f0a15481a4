"""Tokens as a password file of Mosquitto, which asks nobody: the file is written anew when tokens have changed."""

import base64
import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from allmende.domain.errors import InvalidInput

_ROUNDS = 101
"""As mosquitto_passwd has it. The secret has 256 random bits; more rounds would protect nothing."""


def mosquitto_hash(secret: str) -> str:
    """PBKDF2 with SHA-512, in the form of Mosquitto 2: ``$7$rounds$salt$hash``."""
    salt = secrets.token_bytes(12)
    made = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ROUNDS, 64)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def write_passwords(path: Path, accounts: Iterable[tuple[str, str]]) -> list[str]:
    """Write names and hashes to a file, whole or not at all; owner and mode of a file that is there are kept.

    Gives the names that a password file cannot hold. Raises InvalidInput where it cannot be written.
    """
    lines, left_out = [], []
    for name, hashed in accounts:
        if ":" in name or not name.isprintable():
            left_out.append(name)
        else:
            lines.append(f"{name}:{hashed}\n")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        there = path.stat() if path.exists() else None
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.writelines(lines)
        if there is not None:
            os.chown(draft, there.st_uid, there.st_gid)
            draft.chmod(there.st_mode & 0o777)
        draft.replace(path)
    except OSError as error:
        raise InvalidInput(f"the file cannot be written: {error.strerror}", where=str(path)) from None
    finally:
        draft.unlink(missing_ok=True)
    return left_out
