"""``source new``: the folder of a connector, complete and passing, for somebody to fill with their source."""

import re
from pathlib import Path
from string import Template

from allmende.domain.errors import Conflict, InvalidInput

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\Z", re.ASCII)
_FILES = {
    "pyproject.toml": """\
[project]
name = "allmende-$dashed"
version = "0.1"
dependencies = ["allmende"]

[project.entry-points."allmende.connectors"]
$name = "allmende_$name"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
""",
    "allmende_$name/__init__.py": "",
    "allmende_$name/README.md": """\
# $title

What the source means, who runs it, and where it misleads.
""",
    "allmende_$name/manifest.toml": """\
name = "$name"
maturity = "experimental"           # experimental, tested, proven
gives = ["level"]                   # ids of the observed properties
units = { level = "cm" }            # UCUM, "" for words and truth values
publisher = ""
licence = ""
framing = "json"                    # whole, lines, json: how a file is cut
media_types = ["application/json"]
transports = ["http", "mqtt", "file"]

[title]
de = "$title"
en = "$title"

[description]
de = "Was diese Quelle sagt"
en = "What this source says"

# What may be expected of it; a city's profile overrides it key by key.
[contract]
interval = "PT15M"                  # between two readings of a stream, or "never"
late_after = "PT1H"                 # nothing from the source
frozen_after = "P1D"                # one value for so long, or "never"
columns = ["id", "time", "level"]   # names that parse relies on
behind = "PT2H"                     # how old the newest reading may be when it comes, or "never"
per_day = 96                        # readings a day; 0: nobody can say

[settings]
highest = 500
""",
    "allmende_$name/parse.py": '''\
"""$title: one JSON object a message, ``{"id": …, "time": …, "level": …}``."""

from typing import Annotated

import msgspec

from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import (
    Declaration,
    Parsed,
    Property,
    Rejection,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.times import parse_instant

LEVEL = Property(id="level", name="Level", definition="urn:x-$dashed:level")


class Message(msgspec.Struct):
    """What is needed of a message; other keys are left alone."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[\\w-]{1,40}\\Z")]
    time: str
    level: float


def parse(payload: Payload, source: Source) -> Parsed:
    """One reading, or a rejection."""
    try:
        message = msgspec.json.decode(payload.body, type=Message)
        time = parse_instant(message.time)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidInput) as error:
        return Parsed((), (Rejection(reason=str(error), body=payload.body),))
    stream = f"$dashed-{message.id}~level"
    declared = Declaration(
        stream=stream,
        name=f"$title {message.id}",
        thing=ThingDeclaration(id=f"$dashed-{message.id}", name=message.id),
        sensor=SensorDeclaration(id=source.id, name="$title"),
        observed_property=LEVEL,
        unit=Unit("centimetre", "cm", "https://ucum.org/ucum"),
        low=0,
        high=source.settings["highest"],
        properties={"source": source.id},
    )
    return Parsed((declared, Series(stream=stream, times=[time], results=[message.level])), ())
''',
    "allmende_$name/samples/message-constructed.json": """\
{"id": "one", "time": "2024-05-02T12:00:00+02:00", "level": 121.5}
""",
    "allmende_$name/tests/__init__.py": "",
    "allmende_$name/tests/test_parse.py": '''\
"""The sample as it is, and damaged."""

from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source
from allmende_$name.parse import parse

HERE = "allmende_$name"
SOURCE = Source(id="$dashed", connector="$name", dataset="$dashed", settings=manifest_settings(HERE))
BODY = sample(HERE, "message-constructed.json")


def test_the_sample() -> None:
    parsed = assert_sound(parse, payload(BODY), SOURCE)
    assert values(parsed) == {"$dashed-one~level": [121.5]}
    assert not parsed.rejections


def test_damaged_messages() -> None:
    assert_withstands(parse, BODY, SOURCE, framing="json")
''',
}


def make_skeleton(name: str, folder: Path) -> list[Path]:
    """Write the files under ``folder/allmende-NAME``; gives them. Raises InvalidInput for the name, Conflict where the
    folder is there already."""
    if not _NAME.match(name) or len(name) > 50:
        raise InvalidInput(f"{name!r} is no name for a connector: small letters, digits, single underscores between")
    dashed = name.replace("_", "-")
    root = folder / f"allmende-{dashed}"
    if root.exists():
        raise Conflict(f"{root} is there already")
    words = {"name": name, "dashed": dashed, "title": name.replace("_", " ").capitalize()}
    made = []
    for path, text in _FILES.items():
        file = root / Template(path).substitute(words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).substitute(words), "utf-8")
        made.append(file)
    return made
