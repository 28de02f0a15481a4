"""Releases on both engines: followed, listed, backed up, exported as a folder, taken back."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.homes import BOTH, migrated_database, put_database
from tests.web.office import RULE, TOWN, make_town, rewrite

from allmende.web.profiles import load_profile

RELEASE = """
import json, sys
from allmende.web.cli.opened import open_house
house = open_house()
from allmende.web.house import open_profile
from allmende.web.office import revisions
rule = json.loads(sys.argv[1])
source = {**revisions.current("source", "feed"), "enabled": False, "settings": {"table": "feed-means.csv"}}
draft = revisions.save_draft("source", "feed", source, "cli:test", files={"feed-means.csv": b"a\\x00\\xff"})
revisions.release(draft, "cli:test", seen=draft.turn)
draft = revisions.save_draft("rule", "doubled", rule, "cli:test")
revisions.release(draft, "cli:test", seen=draft.turn)
draft = revisions.save_draft("dataset", "counts", {**revisions.current("dataset", "counts"), "access": "restricted"},
                             "cli:test", reason="why")
revisions.propose(draft, "cli:test", seen=draft.turn)
profile = open_profile()
assert not profile.sources["feed"].enabled and "doubled" in profile.rules
assert profile.sources["feed"].tables == {"feed-means.csv": b"a\\x00\\xff"}
"""


def environ(engine: str, home: Path, city: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ALLMENDE_")}
    put_database(home)
    url = {"ALLMENDE_DATABASE_URL": migrated_database()} if engine == "postgres" else {}
    return {**kept, "ALLMENDE_HOME": str(home), "ALLMENDE_CITY": str(city), "ALLMENDE_DISK_FLOOR": "0", **url}


def run(env: dict[str, str], *arguments: str, code: int = 0) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "allmende", *arguments, "--json"], env=env, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("engine", BOTH)
def test_what_was_released_is_kept_listed_exported_and_taken_back(engine, tmp_path):
    town = make_town(tmp_path / "town")
    env = environ(engine, tmp_path / "home", town)
    run(env, "init", "--city", str(town))
    done = subprocess.run(
        [sys.executable, "-c", RELEASE, json.dumps(RULE)], env=env, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    states = {(each["kind"], each["state"]) for each in run(env, "office", "list")}
    assert states == {("source", "released"), ("rule", "released"), ("dataset", "proposed")}

    # A backup holds it, for a house on the same folder.
    run(env, "backup", str(tmp_path / "town.backup"))
    other = environ("sqlite", tmp_path / "other", town)
    run(other, "init", "--city", str(town))
    run(other, "restore", str(tmp_path / "town.backup"))
    assert len(run(other, "office", "list")) == 3

    # As a folder it needs no database.
    folder = tmp_path / "exported"
    names = run(other, "office", "export", str(folder))["files"]
    assert {"city.toml", "feed-means.csv", "rules/doubled.toml", "outline.geojson"} <= set(names)
    profile = load_profile(str(folder))
    assert not profile.sources["feed"].enabled
    assert profile.rules["doubled"].outputs["twice"].expression == "count * 2"
    assert (folder / "outline.geojson").read_bytes() == (town / "outline.geojson").read_bytes()
    assert "holds something already" in run(env, "office", "export", str(folder), code=1)["error"]

    # The folder changes so that it no longer goes together with what was released.
    rewrite(town, TOWN.replace("[datasets.counts]", "[datasets.people]").replace('"counts"', '"people"'))
    checked = run(env, "check", code=1)
    (wrong,) = [each for each in checked["findings"] if each["part"] == "office"]
    assert not wrong["ok"]
    assert 'no dataset "counts"' in wrong["text"]
    assert "no dataset" in run(env, "sources", code=3)["error"]
    run(env, "office", "undo", "source", "feed", "--to", "0")
    assert "rules.doubled.dataset" in run(env, "sources", code=3)["error"]
    run(env, "office", "undo", "rule", "doubled")
    assert "nothing is released" in run(env, "office", "undo", "dataset", "counts", code=4)["error"]
    assert [source["id"] for source in run(env, "sources")] == ["feed"]
