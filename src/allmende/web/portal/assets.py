"""Where Vite put the files: its manifest, read once and again when it changes."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings

BUILD = Path(__file__).resolve().parents[1] / "static" / "build"

_read: tuple[float, dict[str, Any]] = (0.0, {})


class AssetsMissingError(RuntimeError):
    """The assets were not built."""


def manifest() -> dict[str, Any]:
    """Vite's manifest: source name to file, styles and imports. Raises AssetsMissingError if there is none."""
    global _read
    path = BUILD / "manifest.json"
    try:
        changed = path.stat().st_mtime
    except FileNotFoundError:
        raise AssetsMissingError("the pages' scripts and styles are not built: run tools/build_assets.py") from None
    if changed != _read[0]:
        _read = (changed, json.loads(path.read_bytes()))
    return _read[1]


def find(name: str) -> tuple[str, list[str]]:
    """Script and styles of the entry ``src/<name>.ts`` as addresses.

    The names carry Vite's hash already; Django's own hashing is passed by, since the scripts import each other by
    Vite's names and would otherwise be loaded twice.
    """
    entry = manifest()[f"src/{name}.ts"]
    prefix = f"{settings.STATIC_URL}build/"
    return prefix + entry["file"], [prefix + style for style in entry.get("css", [])]
