"""The platform knows nothing of a service: what one needs of it is there for all."""

import re
from pathlib import Path

import pytest

import allmende

SOURCE = Path(allmende.__file__).parent
WORDS = re.compile(r"parking|car-park|parkhaus", re.IGNORECASE)
"""People may still be told of a car park as of a river: these are words of data and code."""
READ = {".py", ".html", ".toml", ".txt", ".skel", ".md"}
ELSEWHERE = {
    "domain/recognition/quantities.py": "what columns of a table may mean: a vocabulary, as of temperatures",
    "web/making/words.py": "words of connectors, which say of a format what it holds",
}
"""Where the word is no service's; why."""


@pytest.mark.parametrize("folder", ["domain", "faces", "knowledge", "web"])
def test_nothing_of_parking_is_known_to_the_platform(folder: str) -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{number}: {line.strip()[:100]}"
        for path in sorted((SOURCE / folder).rglob("*"))
        if path.suffix in READ and path.is_file() and "static" not in path.parts
        if str(path.relative_to(SOURCE)) not in ELSEWHERE
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if WORDS.search(line)
    ]
    assert found == []
