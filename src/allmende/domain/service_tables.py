"""Tables of a service in files of their own beside ``city.toml``, so that it does not grow with each service.

    [services.fountains]
    tables = { hours = "fountains/hours.toml" }

The service finds them in the profile as if they stood there: ``profile.services["fountains"]["tables"]["hours"]``. What
they mean it checks itself.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from allmende.domain.profile_checks import ProfileError, check_id
from allmende.domain.tables import mapping, plain, tables

_NAME = re.compile(r"[a-z0-9_-]+/[a-z0-9_-]+\.toml\Z", re.ASCII)


def parse_services(value: object, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """The tables ``[services.NAME]`` with what their files say. Raises ProfileError with the file."""
    found = tables(value, "services")
    for service, body in found.items():
        if "tables" not in body:
            continue
        place = f"services.{service}.tables"
        named = mapping(body["tables"], place)
        found[service] = {**body, "tables": {key: _table(key, name, files, place) for key, name in named.items()}}
    return found


def _table(key: str, name: object, files: Mapping[str, bytes], place: str) -> dict[str, Any]:
    check_id(key, f"{place}.{key}")
    if isinstance(name, dict):
        return name  # it stands in the profile itself, as a test's does
    if not isinstance(name, str) or not _NAME.match(name):
        raise ProfileError(
            f"{place}.{key}", "%(value)s is no file in a folder beside city.toml, e.g. fountains/hours.toml",
            value=repr(name),
        )  # fmt: skip
    if name not in files:
        raise ProfileError(f"{place}.{key}", 'there is no file "%(name)s" beside city.toml', name=name)
    try:
        return dict(plain(tomllib.loads(files[name].decode())))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(name, "is no TOML: %(error)s", error=error) from None
