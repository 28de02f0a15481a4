"""Secrets of channels: named in the profile, kept in the environment, or in a file that it names."""

import os
from pathlib import Path

from allmende.domain.errors import ConfigurationError


def secret_of(name: str) -> str:
    """What ``ALERT_…`` holds, or the file that ``ALERT_…_FILE`` names (as containers mount secrets).

    Raises ConfigurationError that names the variable.
    """
    if not name.startswith("ALERT_"):
        raise ConfigurationError("names no secret of an alert", where=name)
    found = os.environ.get(name, "")
    path = os.environ.get(f"{name}_FILE", "")
    if not found and path:
        try:
            found = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the file cannot be read: {error}", where=f"{name}_FILE") from None
    if not found:
        raise ConfigurationError("is not set in the environment of the worker", where=name)
    return found
