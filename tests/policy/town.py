"""Two towns that are alike, but that one also has what not everybody may see: datasets, a source with its trouble and
what was rejected of it, things, streams, readings, features, a rule, a forecast. Each is a folder with a profile."""

import shutil
from pathlib import Path

CITIES = Path(__file__).resolve().parents[2] / "cities"
CANARY = "canary-7f3a"
NUMBER = 987_654
"""A value that no open stream has."""

_HIDDEN = f"""
[datasets.{CANARY}]
title = {{ de = "{CANARY} Titel", en = "{CANARY} title" }}
description = {{ de = "{CANARY} Text", en = "{CANARY} text" }}
publisher = "{CANARY} publisher"
licence = "CC-BY-4.0"
attribution = "{CANARY} attribution"
access = "restricted"

[datasets.{CANARY}-people]
title = {{ de = "{CANARY} Menschen", en = "{CANARY} people" }}
description = {{ de = "{CANARY} Text", en = "{CANARY} text" }}
publisher = "{CANARY} publisher"
licence = "CC-BY-4.0"
attribution = "{CANARY} attribution"
access = "protected"

[sources.{CANARY}-source]
connector = "chirpstack"
title = {{ de = "{CANARY} Quelle", en = "{CANARY} source" }}
enabled = true
dataset = "{CANARY}"
topic = "{CANARY}/+"
responsible = "{CANARY}@city.example"

[sources.{CANARY}-source.settings.positions]
"""
_ALERT = f"""
[alerts.{CANARY}-alert]
title = {{ de = "{CANARY} Alarm", en = "{CANARY} alert" }}
dataset = "{CANARY}"
public = true
raise = "people > 1"
inputs.people.property = "people"
"""
_FORECAST = f"""
[forecasts.{CANARY}-forecast]
title = {{ de = "{CANARY} Vorhersage", en = "{CANARY} forecast" }}
dataset = "{CANARY}"
property = "people"
"""
_RULE = f"""
[rules.{CANARY}-rule]
version = 1
title = {{ de = "{CANARY} Regel", en = "{CANARY} rule" }}
dataset = "{CANARY}"
by = "thing"
window = {{ every = "P1D", grace = "PT1H" }}

[rules.{CANARY}-rule.inputs.people]
property = "people"
take = "readings"

[rules.{CANARY}-rule.outputs.sum]
stream = "{{thing}}~{CANARY}"
property = {{ id = "{CANARY}-sum", name = {{ de = "{CANARY}", en = "{CANARY}" }} }}
type = "count"
unit = "1"
unit_name = "people"
expression = "sum(people)"
"""


_TILE = f'title = "{CANARY} {{}}"\nstreams = ["{CANARY}~{{}}"]'
_OPEN = 'title = "Gate"\nstreams = ["gate~people"]'
_BOARD = "[boards.gate]\ntitle = 'Gate'\ndescription = 'x'\n" + "\n".join(
    f"[[boards.gate.tiles]]\nkind = '{kind}'\n{said}"
    for kind, said in (
        ("value", _OPEN),
        *((kind, _TILE.format(kind, stream)) for kind in ("value", "series", "table") for stream in ("gate", "people")),
        ("table", f'title = "{CANARY}"\ndatasets = ["{CANARY}"]'),
        ("objects", f'title = "{CANARY}"\ndatasets = ["{CANARY}"]\ncollection = "{CANARY}-trees"'),
        ("sources", 'title = "Sources"'),
    )
)
"""In both towns alike: of a tile nobody from outside sees anything who may not read what it reads."""
_STORY = (
    "+++\ntitle = 'Gate'\ndate = '2023-11-14'\n+++\n\n"
    f"```tile kind=value\n{_OPEN}\n```\n\n```tile kind=series\n{_TILE.format('', 'gate')}\n```\n"
)


def make_town(folder: Path, *, secret: bool) -> Path:
    """The profile's folder; the towns differ in what is hidden alone."""
    shutil.copytree(CITIES / "example", folder)
    (folder / "boards" / "gate.toml").write_text(_BOARD, "utf-8")
    (folder / "stories").mkdir(exist_ok=True)
    for language in ("de", "en"):
        (folder / "stories" / f"gate.{language}.md").write_text(_STORY, "utf-8")
    if secret:
        profile = folder / "city.toml"
        head, services, rest = profile.read_text("utf-8").partition("[services.")
        profile.write_text(head + _HIDDEN + _ALERT + _FORECAST + "\n" + services + rest, "utf-8")
        (folder / "rules").mkdir(exist_ok=True)
        (folder / "rules" / "hidden.toml").write_text(_RULE, "utf-8")
    return folder
