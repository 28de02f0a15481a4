"""What is missing in a connector's folder, in words for whoever writes or operates it."""

import inspect
from collections.abc import Callable
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from allmende.connectors.properties import catalogue
from allmende.domain.connector import Manifest
from allmende.domain.contract import Contract, check_contract, unsaid
from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.domain.times import parse_duration

LANGUAGES = ("de", "en")


def read_manifest(folder: Traversable, *, where: str) -> Manifest:
    """The manifest of a folder. Raises ConfigurationError that names the file and the key."""
    try:
        text = folder.joinpath("manifest.toml").read_bytes()
    except OSError:
        raise ConfigurationError("the file is missing", where=where) from None
    try:
        return msgspec.toml.decode(text, type=Manifest)
    except msgspec.ValidationError as error:
        # msgspec ends with "- at `$.key`"; an unknown key stands in the message itself
        raise ConfigurationError(str(error).replace("`$.", "`"), where=where) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"this is no TOML: {error}", where=where) from None


def problems(
    folder: Traversable,
    manifest: Manifest,
    *,
    parse: Callable[..., Any] | None,
    fetch: Callable[..., Any] | None,
) -> list[str]:
    """Everything that a complete connector has and this one has not; empty if it is complete."""
    found = _texts(manifest)
    if not folder.joinpath("README.md").is_file():
        found.append("README.md is missing: what the source means, and where it misleads")
    if not _holds(folder, "samples", lambda name: not name.startswith((".", "__"))):
        found.append("samples/ holds no sample")
    if not _holds(folder, "tests", lambda name: name.startswith("test_") and name.endswith(".py")):
        found.append("tests/ holds no test_*.py")
    elif not _holds_word(folder, "tests", "assert_withstands"):
        found.append("tests/ never call assert_withstands: nobody knows what damaged data does to parse")
    found += _signature("parse", parse, ["payload", "source"])
    if fetch is not None:
        found += _signature("fetch", fetch, ["source", "now", "since"])
    return found


def _texts(manifest: Manifest) -> list[str]:
    found = [
        f"manifest.toml: {key}.{language} is missing"
        for key, texts in (("title", manifest.title), ("description", manifest.description))
        for language in LANGUAGES
        if not texts.get(language, "").strip()
    ]
    if not manifest.gives and not manifest.objects:
        found.append("manifest.toml: gives and objects are empty; they list observed properties and kinds of objects")
    found += [
        f'manifest.toml: units.{property} is missing; UCUM, or "" for words and truth values'
        for property in manifest.gives
        if property not in manifest.units and not _unit_by_property(manifest, property)
    ]
    if not manifest.transports:
        found.append("manifest.toml: transports is empty; it says how data can come: http, websocket, mqtt, file")
    found += _contract(manifest.contract)
    if manifest.interval:
        try:
            parse_duration(manifest.interval)
        except InvalidInput as error:
            found.append(f"manifest.toml: interval: {error}")
    return found


def _unit_by_property(manifest: Manifest, property: str) -> bool:
    """Whether the shared properties say it, or the settings, where a city adds some; words have no unit there too."""
    known = manifest.settings.get("properties")
    return property in catalogue() or (isinstance(known, dict) and isinstance(known.get(property), dict))


def _contract(contract: Contract | None) -> list[str]:
    if contract is None:
        return ["manifest.toml: [contract] is missing: what may be expected of the source"]
    try:
        check_contract(msgspec.to_builtins(contract))
    except InvalidInput as error:
        return [f"manifest.toml: contract.{error}"]
    return [
        f'manifest.toml: contract.{name} is missing; an ISO 8601 duration or "never"'
        if name not in ("columns", "per_day")
        else f"manifest.toml: contract.{name} is missing; {_UNSAID[name]}"
        for name in unsaid(contract)
    ]


_UNSAID = {
    "columns": "the names that parse relies on, [] where the payload has none",
    "per_day": "the readings that are expected a day, 0 where nobody can say",
}


def _holds_word(folder: Traversable, name: str, word: str) -> bool:
    files = (item for item in folder.joinpath(name).iterdir() if item.name.endswith(".py"))
    return any(word in item.read_text("utf-8", errors="replace") for item in files)


def _holds(folder: Traversable, name: str, wanted: Callable[[str], bool]) -> bool:
    inner = folder.joinpath(name)
    return inner.is_dir() and any(wanted(item.name) for item in inner.iterdir())


def _signature(name: str, function: Callable[..., Any] | None, wanted: list[str]) -> list[str]:
    if not callable(function):
        return [f"{name}.py has no function {name}({', '.join(wanted)})"]
    given = list(inspect.signature(function).parameters)
    return [] if given == wanted else [f"{name} takes ({', '.join(given)}), not ({', '.join(wanted)})"]
