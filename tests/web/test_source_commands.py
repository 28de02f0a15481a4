"""``source new`` makes what the checker asks for; ``source try`` shows and stores nothing."""

import importlib
import json
import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from tests.web.servers import serving
from tests.web.test_listener import sending

from allmende.connectors.registry import GROUP, open_entry
from allmende.web.cli.app import run

CSV = b"timestamp,place_id,free\n2023-11-07T00:00:01+00:00,Holzmarkt,24\n2023-11-07T00:05:01,Holzmarkt,20\n"


@pytest.fixture
def skeleton(tmp_path, monkeypatch):
    assert run(["source", "new", "river_gauges", "--in", str(tmp_path)]) == 0
    root = tmp_path / "allmende-river-gauges"
    monkeypatch.syspath_prepend(str(root))
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield root
    for module in set(sys.modules) - before:
        del sys.modules[module]


def test_the_skeleton_is_complete_and_its_tests_pass(skeleton):
    connector = open_entry(EntryPoint(name="river_gauges", value="allmende_river_gauges", group=GROUP))
    assert list(connector.problems) == []
    tests = importlib.import_module("allmende_river_gauges.tests.test_parse")
    tests.test_the_sample()
    tests.test_damaged_messages()


@pytest.mark.parametrize("name", ["River", "a b", "../x", "a__b", "1a", ""])
def test_a_name_that_is_none_makes_nothing(name, tmp_path, capsys):
    assert run(["source", "new", name, "--in", str(tmp_path)]) != 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(skeleton):
    (skeleton / "allmende_river_gauges" / "parse.py").write_text("mine")
    assert run(["source", "new", "river_gauges", "--in", str(skeleton.parent)]) != 0
    assert (skeleton / "allmende_river_gauges" / "parse.py").read_text() == "mine"


@pytest.fixture
def jena(monkeypatch, tmp_path):
    monkeypatch.setenv("ALLMENDE_CITY", "jena")
    monkeypatch.setenv("ALLMENDE_HOME", str(tmp_path / "home"))
    yield
    assert not (tmp_path / "home").exists(), "nothing is stored"


def test_a_file_is_shown_as_it_would_come_in(jena, tmp_path, capsys):
    (tmp_path / "free.csv").write_bytes(CSV)
    assert run(["source", "try", "jena-parking", str(tmp_path / "free.csv"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    [stream] = told["streams"]
    assert (stream["stream"], stream["unit"], stream["newest"]) == ("parking-holzmarkt~free", "{space}", 24)
    assert stream["first"] == "2023-11-07T00:00:01.000Z"
    assert [(r["code"], r["where"]) for r in told["rejections"]] == [("bad-time", "line 3")]
    assert run(["source", "try", "jena-parking", str(tmp_path / "free.csv")]) == 0
    text = capsys.readouterr().out
    assert "1 readings would be taken, 1 rejected" in text
    assert "has no offset" in text


def test_an_address_is_asked_once(jena, capsys):
    with serving() as server:
        server.body = CSV
        assert run(["source", "try", "jena-parking", "--address", server.url("good"), "--json"]) == 0
        assert server.asked["good"] == 1
        assert json.loads(capsys.readouterr().out)["readings"] == 1
        assert run(["source", "try", "jena-parking", "--address", server.url("gone")]) != 0
        assert "503" in capsys.readouterr().err
        assert run(["source", "try", "jena-parking", "--address", server.url("garbage")]) != 0


def test_a_websocket_is_listened_to(jena, capsys):
    def send(connection):
        for _ in range(50):
            connection.send(CSV)
        connection.recv()

    with sending(send) as address:
        assert run(["source", "try", "jena-parking", "--address", address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["readings"] == 40


def test_a_connector_is_tried_without_a_city(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("ALLMENDE_CITY", raising=False)
    monkeypatch.setenv("ALLMENDE_HOME", str(tmp_path / "home"))
    (tmp_path / "join.json").write_text('{"deviceInfo": 1}')
    assert run(["source", "try", "chirpstack", str(tmp_path / "join.json")]) != 0
    assert "no-identity" in capsys.readouterr().out
    assert run(["source", "try", "chirpstack"]) != 0
    assert "give a FILE" in capsys.readouterr().err
    assert run(["source", "try", "nobody", "x"]) != 0


def test_what_a_file_is_and_what_would_read_it(jena, tmp_path, capsys):
    file = tmp_path / "Messwerte.csv"
    file.write_text("Zeit;Temperatur (°C)\n01.03.2026 10:00;1,5\n01.03.2026 11:00;2,5\n", "utf-8")
    assert run(["source", "recognise", str(file)]) == 0
    told = capsys.readouterr().out
    assert "read by the connector table" in told
    assert "Cel" in told
    assert run(["source", "recognise", str(file), "--toml"]) == 0
    table = tomllib.loads(capsys.readouterr().out)["sources"]["messwerte"]
    assert table["settings"]["time_forms"] == ["%d.%m.%Y %H:%M"]
    assert table["settings"]["properties"] == {"air-temperature": {"name": "Lufttemperatur", "unit": "Cel"}}
    assert run(["source", "recognise", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["columns"][1]["unit"] == "Cel"
    assert run(["source", "recognise", str(tmp_path / "none.csv")]) != 0
    file.write_text("hello")
    assert run(["source", "recognise", str(file), "--toml"]) == 1
    assert "neither a table" in capsys.readouterr().out


def test_what_an_address_gives_is_recognised(jena, capsys):
    with serving() as server:
        server.body = CSV.replace(b"05:01,", b"05:01Z,")
        url = server.url("good")
        assert run(["source", "recognise", url, "--toml"]) == 0
        table = tomllib.loads(capsys.readouterr().out)["sources"]["good"]
        assert (table["address"], table["interval"]) == (url, "P1D")
        assert table["settings"]["thing_column"] == "place_id"
        assert run(["source", "recognise", server.url("gone")]) != 0
        assert "503" in capsys.readouterr().err


def test_the_operators_page_names_what_there_is():
    root = Path(__file__).parents[2]
    from allmende.domain.contract import Contract
    from allmende.domain.watch import KINDS
    from allmende.web.config import settings

    page = (root / "docs" / "how-to" / "look-after-sources.md").read_text("utf-8")
    assert all(f"| `{kind}` |" in page for kind in KINDS)
    named = {"late_after", "missing_after", "frozen_after", "implausible", "ahead", "behind", "repeats", "per_day"}
    assert named <= set(Contract.__struct_fields__)
    assert all(f"`{name}`" in page or f"{name} =" in page for name in named)
    known = {setting.env for setting in settings()}
    assert set(re.findall(r"ALLMENDE_[A-Z_]+", page)) <= known
