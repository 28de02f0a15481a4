"""What a service brings into the commons of a city that switches it on: the folder ``commons/`` of its package.

``profile.toml`` holds tables as ``city.toml`` has them (TABLES), ``boards/*.toml`` dashboards and ``stories/*.md``
stories. All of it is taken as if the city's own folder held it, and what the city says itself goes before: a table, a
board or a story of the same id is the city's alone. In the files ``${city}`` stands for the city's name,
``${publisher}`` for its catalogue's publisher, and ``${KEY}`` for what ``[services.NAME]`` says under KEY: a text as it
is, anything else as TOML writes it.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from allmende.domain.profile_checks import ProfileError
from allmende.domain.tables import mapping, plain

FOLDER = "services/"
"""Where the files of services stand among a profile's: ``services/fountains/boards/fountains.toml``."""
FILE = "profile.toml"
TABLES = (
    "organisations",
    "policies",
    "datasets",
    "sources",
    "properties",
    "synonyms",
    "forecasts",
    "alerts",
)
"""What a service may say. How long readings are kept, who is told of alerts and where the city lies is the city's."""
_WORD = re.compile(r"\$\{([a-z_]+)\}")
"""Not that of environment variables, which are written large."""


class Commons(msgspec.Struct, frozen=True, kw_only=True):
    """One service's files by their names in its folder, with what its SERVICE says of its settings."""

    service: str
    files: Mapping[str, bytes]
    settings: Mapping[str, Any] = {}

    @property
    def folder(self) -> str:
        """Before its files' names, as errors name them."""
        return f"{FOLDER}{self.service}/"


class CommonsFiles(Mapping[str, bytes]):
    """A city's files, and beneath them those of services: by their names with the service's folder, and what a
    service's table names (``means.csv``) by that name where the city has no such file."""

    def __init__(self, city: Mapping[str, bytes], services: Sequence[Commons], words: Mapping[str, Mapping[str, Any]]):
        """``words`` are what stands for ``${…}``, by service."""
        self._city = city
        self._services = {each.folder: each for each in services}
        self._words = words

    def __getitem__(self, name: str) -> bytes:
        if not name.startswith(FOLDER):
            for each in () if name in self._city else self._services.values():
                if "/" not in name and name in each.files:
                    return each.files[name]
            return self._city[name]
        service, _, inner = name.removeprefix(FOLDER).partition("/")
        found = self._services.get(f"{FOLDER}{service}/")
        if found is None:
            return self._city[name]
        body = found.files[inner]
        return _said(name, body, self._words[service]) if inner.endswith((".toml", ".md")) else body

    def __iter__(self) -> Iterator[str]:
        yield from self._city
        for folder, each in self._services.items():
            yield from (f"{folder}{name}" for name in each.files)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def lay_under(
    data: Mapping[str, Any], files: Mapping[str, bytes], commons: Sequence[Commons]
) -> tuple[dict[str, Any], Mapping[str, bytes], dict[str, str]]:
    """A read ``city.toml`` and its files with what services bring beneath them, and for each table that a service
    brought (``datasets.expected``) the file that it stands in. Of two services the first goes before.

    Raises ProfileError that names the service's file.
    """
    made = {name: dict(value) if isinstance(value, dict) else value for name, value in data.items()}
    if not commons:
        return made, files, {}
    words = {each.service: _words(data, each) for each in commons}
    below = CommonsFiles(files, commons, words)
    origins: dict[str, str] = {}
    for each in commons:
        if FILE not in each.files:
            continue
        name = f"{each.folder}{FILE}"
        for table, bodies in _read(name, below[name]).items():
            if table not in TABLES:
                raise ProfileError(f"{name}: {table}", "is nothing that a service says; known are %(known)s",
                                   known=", ".join(TABLES))  # fmt: skip
            said = made.setdefault(table, {})
            for key, body in mapping(bodies, f"{name}: {table}").items():
                if isinstance(said, dict) and key not in said:
                    said[key] = body
                    origins[f"{table}.{key}"] = name
    return made, below, origins


def named(error: ProfileError, origins: Mapping[str, str]) -> ProfileError:
    """The same error with its file, where a service's file is what it is about."""
    table, _, rest = error.place.partition(".")
    for place, file in origins.items():
        key = place.removeprefix(f"{table}.")
        if place.startswith(f"{table}.") and (rest == key or rest.startswith((f"{key}.", f"{key}["))):
            return ProfileError(f"{file}: {error.place}", error.template, **error.arguments)
    return error


def names_of(files: Mapping[str, bytes], folder: str, ending: str) -> list[tuple[str, str]]:
    """The files of a folder (``boards/``): those of the city, then those of services, each as its full name and the
    name in its folder."""
    own: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for name in sorted(files):
        inner = name.split("/", 2)[-1] if name.startswith(FOLDER) else name
        if inner.startswith(folder) and inner.endswith(ending):
            (others if name.startswith(FOLDER) else own).append((name, inner.removeprefix(folder)))
    return [*own, *others]


def is_of_service(name: str) -> bool:
    """Whether a file is one of a service's."""
    return name.startswith(FOLDER)


def settings_of(data: Mapping[str, Any], commons: Commons) -> dict[str, Any]:
    """What the city says of a service over what the service says by itself."""
    chosen = data.get("services", {})
    own = chosen.get(commons.service, {}) if isinstance(chosen, Mapping) else {}
    return {**commons.settings, **(own if isinstance(own, Mapping) else {})}


def _words(data: Mapping[str, Any], commons: Commons) -> dict[str, Any]:
    catalogue = data.get("catalogue")
    city = str(data.get("name", ""))
    publisher = catalogue.get("publisher") if isinstance(catalogue, Mapping) else ""
    return {**settings_of(data, commons), "city": city, "publisher": publisher or city}


def _read(name: str, body: bytes) -> dict[str, Any]:
    try:
        return dict(plain(tomllib.loads(body.decode())))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(name, "is no TOML: %(error)s", error=error) from None


def _said(name: str, body: bytes, words: Mapping[str, Any]) -> bytes:
    """A file with its words put in. What is no UTF-8 is left as it is: whoever reads it says so."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body

    def word(match: re.Match[str]) -> str:
        key = match[1]
        if key not in words:
            raise ProfileError(name, "${%(key)s} is said neither by the service nor by the city", key=key)
        value = words[key]
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)[1:-1] if name.endswith(".toml") else value
        return json.dumps(value, ensure_ascii=False)

    return _WORD.sub(word, text).encode()
