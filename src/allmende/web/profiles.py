"""Where profiles lie: finds a city's folder, reads its ``city.toml`` and what lies beside it."""

import os
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import allmende
from allmende.domain.boards import FOLDER as BOARDS
from allmende.domain.errors import ConfigurationError
from allmende.domain.plain import PlainProfile, plain_profile
from allmende.domain.profile import Profile
from allmende.domain.rule_files import FOLDER as RULES
from allmende.domain.stories import FOLDER as STORIES
from allmende.web.files import Folder
from allmende.web.services import check_services, commons_of

FILE_NAME = "city.toml"
_FOLDERS = (RULES, BOARDS, STORIES)
"""Beside ``city.toml``; their files are named with the folder before."""


def load_profile(name_or_path: str) -> Profile:
    """The profile of a bundled city by name, or of a folder or a ``city.toml`` by path.

    A name is looked up among the bundled cities first; whatever holds a slash or ends in ``.toml`` is a path.
    Raises ConfigurationError where there is no such profile, ProfileError where it is wrong.
    """
    profile = read_profile(find_profile(name_or_path)).parse()
    check_services(profile)
    return profile


def read_profile(path: Path) -> PlainProfile:
    """What a ``city.toml`` and its folder say, over what its services bring; unchecked. Raises ConfigurationError,
    ProfileError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"is no TOML: {error}", where=str(path)) from None
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return plain_profile(data, Folder(path.parent, _FOLDERS), commons_of(data))


def fingerprint(path: Path, beside: Iterable[Path] = ()) -> tuple[tuple[str, int, int, int], ...]:
    """What tells one state of a profile's folder, and of the folders ``beside``, from another without reading it: name,
    size, time of the last change (nanoseconds) and number of each file. Files that come and go while it looks are left
    out."""
    found = []
    inside: list[Path] = []
    with suppress(OSError):
        inside = [each for each in path.parent.iterdir() if each.is_dir()]
    for folder in (path.parent, *inside, *beside):
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_file():
                        state = entry.stat()
                        found.append((entry.path, state.st_size, state.st_mtime_ns, state.st_ino))
    return tuple(sorted(found))


def find_profile(name_or_path: str) -> Path:
    """The ``city.toml`` that is meant; raises ConfigurationError that tells where it was looked for."""
    if "/" not in name_or_path and not name_or_path.endswith(".toml"):
        bundled = available_profiles().get(name_or_path)
        if bundled is not None:
            return bundled
    path = Path(name_or_path)
    if path.is_dir():
        path = path / FILE_NAME
    if path.is_file():
        return path
    known = ", ".join(available_profiles()) or "none"
    raise ConfigurationError(
        f'there is no city "{name_or_path}"; bundled are {known}; or give the path of a folder with a {FILE_NAME}'
    )


def available_profiles() -> dict[str, Path]:
    """The bundled cities: name of the folder -> its ``city.toml``, by name."""
    folder = _cities()
    return {path.parent.name: path for path in sorted(folder.glob(f"*/{FILE_NAME}"))} if folder else {}


def _cities() -> Path | None:
    """``cities/`` of the checkout that the package runs from, else the one in the installed package."""
    package = Path(allmende.__file__).resolve().parent
    for parent in package.parents:
        if (parent / "pyproject.toml").is_file() and (parent / "cities").is_dir():
            return parent / "cities"
    inside = package / "cities"
    return inside if inside.is_dir() else None
