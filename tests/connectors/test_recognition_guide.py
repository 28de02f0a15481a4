"""The guide's example is recognised as the guide says."""

import io
import re
import tomllib
from pathlib import Path

from allmende.connectors.recognition.recognise import Found, recognise
from allmende.connectors.table.parse import parse
from allmende.connectors.testing import payload, values
from allmende.domain.connector import Source
from allmende.domain.recognition.plan import settings_of

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "make-a-source-in-the-browser.md"
FILES = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL))


def test_the_guides_file_gives_the_guides_settings():
    body = FILES["Pegel Saale.csv"].encode()
    known = recognise(
        io.BytesIO(body), Found("Pegel Saale.csv", language="de", zone="Europe/Berlin", centre=(11.6, 50.9))
    )
    said = settings_of(known.plan)
    assert said == tomllib.loads(FILES["the source's settings"])
    parsed = parse(
        payload(body), Source(id="s", connector="table", dataset="d", time_zone="Europe/Berlin", settings=said)
    )
    assert values(parsed) == {"s-Burgau~water-level": [1121.5, 1122.25], "s-Zwätzen~water-level": [98.0]}
    assert not parsed.rejections
