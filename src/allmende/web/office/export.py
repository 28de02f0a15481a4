"""The profile in force, written as a folder that another house can live on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from allmende.domain.boards import FOLDER as BOARDS
from allmende.domain.commons import is_of_service
from allmende.domain.errors import InvalidInput
from allmende.domain.plain import PlainProfile
from allmende.domain.rule_files import read_rules
from allmende.web.live import live
from allmende.web.profiles import FILE_NAME, load_profile, read_profile

_HEAD = "# Written by `allmende office export`: what was changed in the browser is in it, comments are not.\n\n"


def write_profile(profile: PlainProfile, folder: Path) -> list[str]:
    """Write all files; gives their names. What was not changed is copied byte by byte, with its comments.

    Raises InvalidInput where the folder holds something already or cannot be written, ProfileError where what was
    written is not what is in force (then it is there to be looked at).
    """
    before = live().folder()
    written = {
        name: profile.files[name]
        for name in profile.files
        if not is_of_service(name) and (not name.endswith(".toml") or name.startswith(BOARDS))
    }
    written |= {name: profile.files[name] for name in _tables_of_services(profile)}
    written[FILE_NAME] = before.files[FILE_NAME] if profile.data == before.data else _toml(_own(profile, before))
    known = read_rules(before.files)
    for name, said in profile.rules.items():
        written[name] = before.files[name] if known.get(name) == said else _toml(said)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidInput("holds something already; name a folder that there is not yet", where=str(folder))
        for name, body in sorted(written.items()):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(body)
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", where=str(folder)) from None
    if load_profile(str(folder)) != profile.parse():
        raise InvalidInput(f"is not the profile in force: {_other(folder, profile)}", where=str(folder))
    return sorted(written)


def _tables_of_services(profile: PlainProfile) -> list[str]:
    """Files that the city's services keep their tables in."""
    named = [said.get("tables") for said in profile.data.get("services", {}).values() if isinstance(said, Mapping)]
    return [
        name for tables in named if isinstance(tables, Mapping) for name in tables.values() if name in profile.files
    ]


def _own(profile: PlainProfile, before: PlainProfile) -> dict[str, Any]:
    """What the city says itself: a service's table that nobody changed comes again with the service."""
    brought = {place for place in profile.origins if _at(profile.data, place) == _at(before.data, place)}
    made: dict[str, Any] = {}
    for table, said in profile.data.items():
        if isinstance(said, Mapping):
            own = {key: body for key, body in said.items() if f"{table}.{key}" not in brought}
            if own or not said:
                made[table] = own
        else:
            made[table] = said
    return made


def _at(data: Mapping[str, Any], place: str) -> Any:
    table, _, key = place.partition(".")
    return data.get(table, {}).get(key)


def _toml(data: Mapping[str, Any]) -> bytes:
    return (_HEAD + tomli_w.dumps(data)).encode()


def _other(folder: Path, profile: PlainProfile) -> str:
    read = read_profile(folder / FILE_NAME)
    return ", ".join(name for name in profile.data if profile.data[name] != read.data.get(name)) or "the rules"
