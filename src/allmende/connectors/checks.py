"""What is missing in a connector's folder, in words for whoever writes or operates it."""

import inspect
from collections.abc import Callable
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from allmende.domain.connector import Manifest
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
    if not manifest.gives:
        found.append("manifest.toml: gives is empty; it lists the observed properties")
    if manifest.interval:
        try:
            parse_duration(manifest.interval)
        except InvalidInput as error:
            found.append(f"manifest.toml: interval: {error}")
    return found


def _holds(folder: Traversable, name: str, wanted: Callable[[str], bool]) -> bool:
    inner = folder.joinpath(name)
    return inner.is_dir() and any(wanted(item.name) for item in inner.iterdir())


def _signature(name: str, function: Callable[..., Any] | None, wanted: list[str]) -> list[str]:
    if not callable(function):
        return [f"{name}.py has no function {name}({', '.join(wanted)})"]
    given = list(inspect.signature(function).parameters)
    return [] if given == wanted else [f"{name} takes ({', '.join(given)}), not ({', '.join(wanted)})"]
