"""``service new`` makes what ``service check`` asks for and docs/service.md shows; of any other shape it names what."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from allmende.web.cli.app import run
from allmende.web.cli.service_shape import faults
from allmende.web.cli.service_skeleton import make_service
from allmende.web.services import installed_services

PAGE = Path(__file__).resolve().parents[2] / "docs" / "service.md"
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def install(root: Path, name: str) -> None:
    """What ``pip install -e`` leaves, beside the package."""
    info = root / f"{root.name.replace('-', '_')}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {root.name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[allmende.services]\n{name} = allmende_{name}\n")


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Forgets what is imported from the temporary folder."""
    before = set(sys.modules)
    yield lambda root: (monkeypatch.syspath_prepend(str(root)), importlib.invalidate_caches())
    for module in set(sys.modules) - before:
        if "benches" in module:
            del sys.modules[module]


def test_the_walk_through_of_the_docs_does_what_it_says(tmp_path, loaded, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    commands = [line for kind, _, text in blocks if kind == "sh" for line in text.splitlines()]
    assert len(commands) >= 4
    source = str(Path(run.__code__.co_filename).parents[3])
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ALLMENDE_", "DJANGO_"))}
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "pip":
            root = tmp_path / arguments[-1].partition("[")[0]
            install(root, "park_benches")
            loaded(root)
        elif program == "pytest":
            environ["PYTHONPATH"] = os.pathsep.join((source, str(tmp_path / arguments[0])))
            tried = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "--rootdir",
                *arguments,
                *arguments,
            ]
            done = subprocess.run(tried, env=environ, capture_output=True, text=True, timeout=100, check=False)
            assert done.returncode == 0, done.stdout[-3000:]
            assert "skipped" not in done.stdout
        else:
            assert program == "allmende"
            assert run(arguments) == 0, capsys.readouterr()
    for kind, title, text in blocks:
        if title and kind != "sh":
            file = (tmp_path / "allmende-park-benches" / title).read_text("utf-8")
            for part in text.split("    …\n" if kind == "python" else "…\n"):
                assert part in file, f"{title}: {part}"


@pytest.fixture
def benches(tmp_path, loaded):
    """A service that somebody is at work on."""
    from allmende.web.catalogues import compile_catalogue

    for path in make_service("benches", tmp_path, date(2026, 11, 22)):
        if path.suffix == ".po":
            compile_catalogue(path)
    root = tmp_path / "allmende-benches"
    install(root, "benches")
    loaded(root)
    return root


def told(root: Path) -> list[str]:
    package = root / "allmende_benches"
    return list(faults(installed_services()["benches"], package, root / "tests"))


WEB = "from allmende.web import house\nfrom django import forms"
NAMING = """from django.db import models


class Bench(models.Model):
    owner = models.ForeignKey('accounts.User', models.CASCADE)


DATASET ="""
CHANGES = [
    ("views.py", "from django import forms", WEB, "imports allmende.web"),
    ("views.py", 'house.note("benches.give"', 'print("benches.give"', "does not note it"),
    ("views.py", '@asks_for("benches.give")', '@asks_for("benches.burn")', "benches.burn does not stand in SERVICE"),
    ("urls.py", ', name="frame")', ")", "the address has no name"),
    ("urls.py", 'app_name = "benches"', 'app_name = "other"', 'app_name is not "benches"'),
    ("README.md", "## Personal data", "## Other", "Personal data"),
    ("counting.py", "DATASET =", NAMING, "no holding"),
    ("locale/de/LC_MESSAGES/django.po", 'msgstr "Ort"', 'msgstr ""', "'Place' is not translated"),
    ("locale/de_Simple/LC_MESSAGES/django.po", "Nothing has been counted yet.", "Nothing.", "used nowhere"),
    ("commons/profile.toml", 'licence = "CC0-1.0"', "", "datasets.benches.licence"),
]


@pytest.mark.parametrize(("file", "before", "after", "words"), CHANGES)
def test_what_is_not_of_the_shape_is_named(benches, file, before, after, words):
    path = benches / "allmende_benches" / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")
    found = told(benches)
    assert len(found) == 1
    assert words in found[0]


def test_what_is_missing_is_named(benches, capsys):
    package = benches / "allmende_benches"
    for name in ("README.md", "locale/de_Simple/LC_MESSAGES/django.po", "commons/stories/benches.de-simple.md"):
        (package / name).unlink()
    for path in (benches / "tests").iterdir():
        path.unlink()
    assert run(["service", "check", "benches"]) == 1
    said = capsys.readouterr().out
    for words in ("README.md is missing", "plain German, too", "benches.de-simple.md", "it has no tests"):
        assert words in said
    assert run(["service", "check", "unheard"]) != 0


def test_our_own_services_have_the_shape(capsys):
    assert run(["service", "check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", ["Benches", "a b", "../x", "a__b", ""])
def test_a_name_that_is_none_makes_nothing(name, tmp_path):
    assert run(["service", "new", name, "--in", str(tmp_path)]) != 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(tmp_path, capsys):
    assert run(["service", "new", "benches", "--in", str(tmp_path), "--json"]) == 0
    (tmp_path / "allmende-benches" / "conftest.py").write_text("mine")
    assert run(["service", "new", "benches", "--in", str(tmp_path)]) != 0
    assert (tmp_path / "allmende-benches" / "conftest.py").read_text() == "mine"


def test_one_of_ours_stands_beside_the_others(tmp_path, capsys):
    assert run(["service", "new", "benches", "--ours", "--in", str(tmp_path)]) != 0
    (tmp_path / "src" / "allmende" / "city").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert run(["service", "new", "benches", "--ours", "--in", str(tmp_path)]) == 0
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"src/allmende/city/benches/apps.py", "tests/city/benches/test_pages.py"} <= made
    assert "allmende.city.benches" in (tmp_path / "src/allmende/city/benches/urls.py").read_text()
