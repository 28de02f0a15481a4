"""Finding connectors: ours, those of others, and broken ones."""

import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import resources
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from allmende.connectors import checks
from allmende.connectors.registry import GROUP, connectors, load, open_entry
from allmende.connectors.testing import payload, readings
from allmende.domain.connector import Source
from allmende.domain.errors import ConfigurationError, NotFound

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent.name for path in (ROOT / "src" / "allmende" / "connectors").glob("*/manifest.toml"))
BUNDLED = ("chirpstack", "demo", "jena_parking")

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-connector.md"
GUIDE_FILES = dict(
    re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
)
FILES = {
    "__init__.py": "",
    "README.md": "# River\n",
    **{
        path.removeprefix("allmende_river/"): text
        for path, text in GUIDE_FILES.items()
        if path.startswith("allmende_river/")
    },
}
MANIFEST = FILES["manifest.toml"]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Installs a distribution the way pip leaves it: a package and a dist-info with entry points."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def put(name: str, module: str, files: dict[str, str]) -> Path:
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}\n")
        for path, text in files.items():
            (tmp_path / module / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / module / path).write_text(text, "utf-8")
        importlib.invalidate_caches()
        return tmp_path / module

    yield put
    for module in set(sys.modules) - before:
        del sys.modules[module]


@pytest.mark.parametrize("name", FOLDERS)
def test_bundled_connectors_have_the_whole_shape(name: str) -> None:
    # not by what is installed: a connector that was just written is looked at too
    connector = open_entry(EntryPoint(name=name, value=f"allmende.connectors.{name}", group=GROUP))
    assert connector.problems == []
    assert connector.readme
    folder = resources.files(f"allmende.connectors.{name}")
    samples = [item.name for item in folder.joinpath("samples").iterdir()]
    assert all("constructed" in item for item in samples), "captured data lies outside of the project"


def test_every_bundled_connector_has_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert sorted(project["entry-points"][GROUP]) == FOLDERS


def test_the_guides_connector_is_found_and_used(install) -> None:  # type: ignore[no-untyped-def]
    packaging = tomllib.loads(GUIDE_FILES["pyproject.toml"])
    [(name, module)] = packaging["project"]["entry-points"][GROUP].items()
    install(name, module, FILES)
    found = connectors()
    assert set(BUNDLED) <= set(found)
    river = found["river"]
    assert river.problems == []
    assert river.manifest.title["de"] == "Flusspegel"
    assert river.readme == "# River\n"
    source = Source(id="s", connector="river", dataset="d", settings=river.manifest.settings)
    parsed = river.parse(payload(FILES["samples/levels-constructed.csv"].encode()), source)
    assert (readings(parsed), [rejection.where for rejection in parsed.rejections]) == (2, ["line 3"])
    assert load("river").manifest == river.manifest
    tests = importlib.import_module(f"{module}.tests.test_parse")
    tests.test_levels()
    tests.test_damaged_files()


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"parse.py": "import nothing_of_this_name"}, "nothing_of_this_name"),
        ({"parse.py": "raise RuntimeError('boom')"}, "boom"),
        ({"parse.py": ""}, "parse"),
        ({"parse.py": "def parse(:"}, "SyntaxError"),
        ({"manifest.toml": "name = 'x"}, "manifest.toml"),
        ({"manifest.toml": MANIFEST.replace("framing", "framimg")}, "framimg"),
        ({"manifest.toml": MANIFEST.replace('"lines"', '"rows"')}, "framing"),
        ({"manifest.toml": MANIFEST.replace("maturity", "# ")}, "maturity"),
    ],
)
def test_a_broken_one_is_told_and_does_not_stop_the_others(install, files: dict[str, str], word: str) -> None:  # type: ignore[no-untyped-def]
    install("river", "allmende_river", FILES | files)
    found = connectors()
    assert set(BUNDLED) <= set(found)
    assert any(word in problem for problem in found["river"].problems), found["river"].problems
    # what is sent to it is kept until it is mended
    parsed = found["river"].parse(payload(b"precious"), Source(id="s", connector="river", dataset="d"))
    assert [(rejection.code, rejection.body) for rejection in parsed.rejections] == [("broken-connector", b"precious")]
    with pytest.raises(ConfigurationError, match="river"):
        load("river")


def test_what_is_missing_is_said_in_words(install) -> None:  # type: ignore[no-untyped-def]
    folder = install(
        "stream",
        "allmende_river",
        {
            "__init__.py": "",
            "manifest.toml": 'interval = "sometimes"\n'
            + MANIFEST.replace('en = "River gauges"', "")
            .replace("units =", "#")
            .replace("transports =", "#")
            .replace("frozen_after =", "#")
            .replace("columns =", "#"),
            "parse.py": "def parse(payload): ...",
            "fetch.py": "def fetch(source, now): ...",
        },
    )
    assert folder.is_dir()
    problems = "\n".join(connectors()["stream"].problems)
    for word in (
        "title.en",
        "interval",
        "units.water-level",
        "transports",
        "contract.frozen_after",
        "contract.columns",
        "README.md",
        "samples/",
        "tests/",
        "parse takes",
        "fetch takes",
        "river",
    ):
        assert word in problems, word


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(NotFound, match="jena_parking"):
        load("jena-parking")


def test_a_name_taken_twice_is_told(install) -> None:  # type: ignore[no-untyped-def]
    install("demo", "allmende_river", FILES)
    assert any("is not used" in problem for problem in connectors()["demo"].problems)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing"):
        checks.read_manifest(tmp_path, where="x/manifest.toml")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (('late_after = "PT1H"', 'late_after = "soon"'), "contract.late_after"),
        (("per_day = 192", "per_day = -1"), "contract.per_day"),
        (("per_day = 192", "repeats = 2"), "contract.repeats"),
        (("[contract]", "[contract.ranges.water-level]\nlow = 2\nhigh = 1\n[contract]"), "ranges.water-level"),
        (('gives = ["water-level"]', "gives = []"), "gives"),
        (("[contract]", "[settings.x]"), "[contract] is missing"),
    ],
)
def test_a_contract_that_cannot_be_held_is_told(install, change: tuple[str, str], word: str) -> None:  # type: ignore[no-untyped-def]
    assert change[0] in MANIFEST
    install("river", "allmende_river", FILES | {"manifest.toml": MANIFEST.replace(*change)})
    assert any(word in problem for problem in connectors()["river"].problems), connectors()["river"].problems


def test_tests_that_never_damage_anything_are_told(install) -> None:  # type: ignore[no-untyped-def]
    install("river", "allmende_river", FILES | {"tests/test_parse.py": "def test_nothing(): ...\n"})
    assert any("assert_withstands" in problem for problem in connectors()["river"].problems)
