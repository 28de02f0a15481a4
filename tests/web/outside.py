"""Another's package, installed beside ours: a connector with its entry point, and a town that uses it."""

import shutil
from pathlib import Path

CITIES = Path(__file__).resolve().parents[2] / "cities"

_MANIFEST = """
name = "town_counters"
maturity = "experimental"
gives = ["people"]
framing = "lines"
transports = ["http", "file"]
units = { people = "{person}" }
[title]
de = "Zähler"
en = "Counters"
[description]
de = "Zählt Leute"
en = "Counts people"
[contract]
interval = "PT1S"
late_after = "PT1H"
frozen_after = "never"
columns = ["people"]
behind = "never"
per_day = 0
"""

_PARSE = '''
"""One number a line; the line's number is its second."""
from allmende.domain.connector import Payload, Source
from allmende.domain.records import (
    Declaration, Parsed, Property, Rejection, SensorDeclaration, Series, ThingDeclaration, Unit,
)

def parse(payload: Payload, source: Source) -> Parsed:
    series, rejections = Series(stream=f"{source.id}~people", times=[], results=[]), []
    for number, line in enumerate(payload.body.splitlines()[1:], max(payload.line, 2)):
        if line.isdigit():
            series.times.append((1_700_000_000 + number) * 1_000_000)
            series.results.append(int(line))
        else:
            rejections.append(Rejection(reason="no number", body=b"people\\n" + line + b"\\n"))
    declared = Declaration(
        stream=series.stream,
        name="People at the gate",
        thing=ThingDeclaration(id=source.id, name="Gate"),
        sensor=SensorDeclaration(id="counter", name="Counter"),
        observed_property=Property(id="people", name="People", definition="https://example.org/people"),
        unit=Unit("people", "{person}"),
        observation_type="count",
    )
    return Parsed([declared, series] if series.times else [], rejections)
'''


def make_town(path: Path, **addresses: str) -> dict[str, str]:
    """Write ``path/site`` (the package) and ``path/town`` (the profile). Gives the environment that finds both.

    The source ``gate`` takes files; ``addresses`` become sources that are pulled every second.
    """
    site = path / "site"
    folder = site / "town_counters"
    for name, text in {
        "__init__.py": "",
        "README.md": "# Counters of the town\n",
        "manifest.toml": _MANIFEST,
        "parse.py": _PARSE,
        "samples/one.txt": "people\n5\n",
        "tests/test_parse.py": "# assert_withstands is for who publishes it\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    info = site / "town_counters-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: town-counters\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[allmende.connectors]\ntown_counters = town_counters\n")

    town = path / "town"
    shutil.copytree(CITIES / "example", town)
    with (town / "city.toml").open("a", encoding="utf-8") as profile:
        for source in ("gate", *addresses):
            profile.write(
                f"\n[sources.{source}]\nconnector = 'town_counters'\ndataset = 'sensors'\nenabled = true\n"
                f"title = {{ de = 'Tor', en = 'Gate' }}\n"
            )
            if source in addresses:
                profile.write(f"address = '{addresses[source]}'\ninterval = 'PT1S'\n")
    return {"PYTHONPATH": str(site), "ALLMENDE_CITY": str(town)}


def people(count: int) -> bytes:
    """A file of so many readings."""
    return b"people\n" + b"".join(b"%d\n" % (number * 7919 % 1000) for number in range(count))
