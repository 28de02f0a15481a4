"""``source recognise``: what something seems to be, and the table of a source that would read it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from allmende.connectors.fetching import download, open_client
from allmende.connectors.recognition.recognise import Found, recognise, source_id
from allmende.domain.connector import Source
from allmende.domain.errors import InvalidInput, NotFound
from allmende.domain.framing import MAX_BYTES
from allmende.domain.profile_checks import check_address
from allmende.domain.recognition.model import Recognition
from allmende.domain.recognition.plan import settings_of
from allmende.web.cli.errors import ExitCode
from allmende.web.cli.output import print_json, print_table, printable
from allmende.web.config import load_config
from allmende.web.profiles import load_profile
from allmende.web.worker.trouble import in_words

_SECONDS = 120.0


def recognise_place(place: str, toml: bool, chosen: Mapping[str, str], as_json: bool) -> int:
    """Look and print; gives the exit code: FAILED where no connector reads it."""
    found = _found(place, {key: value for key, value in chosen.items() if value})
    if found.address:
        with tempfile.TemporaryFile() as file:
            _fetch(found.address, file)
            known = recognise(file, found)
    else:
        with Path(place).open("rb") as file:
            known = recognise(file, found)
    table, problem = _table(known, found)
    if as_json:
        print_json({**msgspec.to_builtins(known), "source": table, "problem": problem})
    elif toml:
        print(as_toml(source_id(found.name), table) if table else _comment(known, problem))
    else:
        _print(known)
        print("\n" + as_toml(source_id(found.name), table) if table else "")
        if problem:
            print(printable(problem))
    return int(ExitCode.OK if table else ExitCode.FAILED)


def _found(place: str, chosen: Mapping[str, str]) -> Found:
    remote = place.startswith(("http://", "https://"))
    if remote:
        check_address(place, "ADDRESS")
    elif not Path(place).is_file():
        raise NotFound(f"there is no such file: {place}")
    config = load_config()
    if not config.city:
        return Found(place, place if remote else "", chosen=chosen)
    profile = load_profile(config.city)
    return Found(
        place, place if remote else "", profile.languages[0], profile.time_zone, profile.geography.center, chosen
    )


def _fetch(address: str, file: BinaryIO) -> None:
    source = Source(id="recognise", connector="", dataset="", address=address)
    try:
        with open_client(source) as client:
            download(client, address, file, max_bytes=MAX_BYTES, total_seconds=_SECONDS)
    except Exception as error:  # whatever a host does, it is to be said in words
        raise InvalidInput(in_words(error, address), where=address) from None


def _table(known: Recognition, found: Found) -> tuple[dict[str, Any] | None, str]:
    """The body of ``[sources.…]``, or why there is none."""
    if known.plan is None or not known.connector:
        return None, ""
    try:
        settings = settings_of(known.plan)
    except InvalidInput as error:
        return None, error.message
    address = known.address or found.address
    timed = {"address": address, "interval": known.interval or "P1D"} if address else {}
    name = source_id(found.name)
    return {
        "connector": known.connector,
        "title": {"de": name, "en": name},
        "enabled": True,
        "dataset": name,
        **timed,
        "settings": settings,
    }, ""


def as_toml(name: str, body: Mapping[str, Any]) -> str:
    """A source's table as ``city.toml`` has it."""
    return msgspec.toml.encode({"sources": {name: body}}).decode().rstrip()


def _comment(known: Recognition, problem: str) -> str:
    words = [problem, *map(str, known.warnings)]
    return "\n".join(f"# {printable(line)}" for line in words if line) or "# no connector reads it"


def _print(known: Recognition) -> None:
    print(f"{known.what}" + (f", read by the connector {known.connector}" if known.connector else ""))
    for words in known.reasons:
        print(f"  {printable(str(words))}")
    for words in known.warnings:
        print(f"  ! {printable(str(words))}")
    for choice in known.choices:
        print(f"  ? {choice.key}: {printable(choice.value)} ({printable(choice.label)})")
    if known.columns:
        rows = [
            [
                printable(column.name)[:40],
                column.meaning,
                column.kind,
                f"{column.empty:.0%}",
                column.unit,
                f"{column.confidence:.0%}",
                printable(str(column.reason))[:70],
                printable(", ".join(column.examples))[:40],
            ]
            for column in known.columns
        ]
        print_table(("column", "meaning", "kind", "empty", "unit", "sure", "why", "examples"), rows)
