"""The committed outlines and tables come out of their scripts again, byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from allmende.web.profiles import load_profile

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ALLMENDE_SHARED_DATA", ROOT.parent / "shared" / "data"))
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the reference data is not at {SHARED}")


def run(script: str, *options: object) -> str:
    command = [sys.executable, str(ROOT / "tools" / script), *map(str, options)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@needs_data
def test_outlines(tmp_path: Path) -> None:
    run("compute_outlines.py", "--data", SHARED, "--out", tmp_path)
    for name in ("boundary.geojson", "districts.geojson", "waters.geojson"):
        assert (tmp_path / name).read_bytes() == (ROOT / "cities" / "jena" / name).read_bytes(), name


@needs_data
def test_soil_tables(tmp_path: Path) -> None:
    run("compute_soil.py", "--data", SHARED, "--out", tmp_path)
    for name in ("soil_sites.csv", "soil_areas.geojson"):
        assert (tmp_path / name).read_bytes() == (ROOT / "cities" / "jena" / "rules" / name).read_bytes(), name


@needs_data
def test_demo_table_and_its_capacities(tmp_path: Path) -> None:
    out = tmp_path / "demo_parking.csv"
    said = run("compute_demo_parking.py", "--data", SHARED, "--out", out)
    assert out.read_bytes() == (ROOT / "cities" / "jena" / "demo_parking.csv").read_bytes()
    capacities = load_profile("jena").sources["demo"].settings["capacities"]
    assert all(f'"{place}": {capacity}' in said for place, capacity in capacities.items())


def test_the_invented_table(tmp_path: Path) -> None:
    out = tmp_path / "demo_parking.csv"
    run("compute_example_demo.py", "--out", out)
    assert out.read_bytes() == (ROOT / "cities" / "example" / "demo_parking.csv").read_bytes()
