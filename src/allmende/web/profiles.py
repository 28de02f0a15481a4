"""Where profiles lie: finds a city's folder, reads its ``city.toml`` and what lies beside it."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import allmende
from allmende.domain.boards import FOLDER as BOARDS
from allmende.domain.errors import ConfigurationError
from allmende.domain.plain import PlainProfile, plain_profile
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.rule_files import FOLDER as RULES
from allmende.domain.stories import FOLDER as STORIES

FILE_NAME = "city.toml"
_FOLDERS = (RULES, BOARDS, STORIES)
"""Beside ``city.toml``; their files are named with the folder before."""
_MAX_BYTES = 50_000_000


def load_profile(name_or_path: str) -> Profile:
    """The profile of a bundled city by name, or of a folder or a ``city.toml`` by path.

    A name is looked up among the bundled cities first; whatever holds a slash or ends in ``.toml`` is a path.
    Raises ConfigurationError where there is no such profile, ProfileError where it is wrong.
    """
    return read_profile(find_profile(name_or_path)).parse()


def read_profile(path: Path) -> PlainProfile:
    """What a ``city.toml`` and its folder say, unchecked. Raises ConfigurationError, ProfileError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"is no TOML: {error}", where=str(path)) from None
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return plain_profile(data, FolderFiles(path.parent))


def fingerprint(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """What tells one state of a profile's folder from another without reading it: name, size, time of the last change
    (nanoseconds) and number of each file. Files that come and go while it looks are left out."""
    found = []
    inside: list[Path] = []
    with suppress(OSError):
        inside = [each for each in path.parent.iterdir() if each.is_dir()]
    for folder in (path.parent, *inside):
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


class FolderFiles(Mapping[str, bytes]):
    """The files of one folder by name, and those of its rules, boards and stories as ``rules/NAME``, read when asked
    for. Never leads out of the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> bytes:
        path = self._folder / name
        # one folder deep: rules, boards, stories, and tables of services
        inner = name.partition("/")[2] if not name.startswith((".", "/")) and "/" in name else name
        if Path(inner).name != inner or not path.is_file():
            raise KeyError(name)
        if path.stat().st_size > _MAX_BYTES:
            raise ProfileError(name, f"is larger than {_MAX_BYTES // 1_000_000} MB, which no profile needs")
        return path.read_bytes()

    def __iter__(self) -> Iterator[str]:
        for folder, prefix in ((self._folder, ""), *((self._folder / name, name) for name in _FOLDERS)):
            if folder.is_dir():
                yield from (f"{prefix}{path.name}" for path in sorted(folder.iterdir()) if path.is_file())

    def __len__(self) -> int:
        return sum(1 for _ in self)
