"""A list of JSON objects as rows: what lies in inner objects becomes columns of its own, ``a.b``."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from allmende.domain.errors import InvalidInput

COLUMNS = 2000
DEPTH = 6


def rows_of(body: bytes, path: str) -> list[list[Any]]:
    """The names of the columns and a row for each object. ``path`` leads to the list (``data.stations``), "" where the
    document is it. Lists within objects have no columns. Raises InvalidInput."""
    try:
        document = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"this is no JSON: {error}") from None
    return table_of(listed_at(document, path))


def table_of(items: list[Any]) -> list[list[Any]]:
    """The same of objects that were read already. What is no object is a row without cells."""
    flat = [dict(_flat(item, "", 0)) if isinstance(item, Mapping) else {} for item in items]
    names = list(dict.fromkeys(name for row in flat for name in row))
    if len(names) > COLUMNS:
        raise InvalidInput(f"its objects have {len(names):,} different keys, more than {COLUMNS:,}")
    return [names, *([row.get(name) for name in names] for row in flat)]


def listed_at(document: Any, path: str) -> list[Any]:
    """The list at the end of a path. Raises InvalidInput where there is none."""
    found = document
    for step in path.split(".") if path else ():
        found = found.get(step) if isinstance(found, Mapping) else None
    if not isinstance(found, list):
        raise InvalidInput(f"it has no list of objects{f' at {path[:80]!r}' if path else ''} (settings.records)")
    return found


def _flat(item: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in item.items():
        name = f"{prefix}{key}".strip()
        if isinstance(value, Mapping):
            if depth < DEPTH:
                yield from _flat(value, f"{name}.", depth + 1)
        elif not isinstance(value, list):
            yield name, value
