"""The notebooks of the documentation: they run on what Jena's sources sent, and their pages show what they gave."""

import runpy
import subprocess
import sys
from typing import Any

import pytest

from allmende.client import House
from tests.client.conftest import Wire
from tests.support import ROOT
from tests.web.sql.test_examples import jena

TOOL = runpy.run_path(str(ROOT / "tools" / "notebooks.py"))
NOTEBOOKS = TOOL["notebooks"]()
__all__ = ["jena"]


@pytest.mark.django_db
def test_each_cell_runs(jena: Any, steady: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a part of the recording, so that figures are others than on the page."""
    pytest.importorskip("duckdb", reason="duckdb is not installed")
    wire = Wire()
    monkeypatch.setattr("allmende.client.House", lambda address: House(address, transport=wire))
    for path in NOTEBOOKS:
        wire.asked.clear()
        notebook = TOOL["read"](path)
        TOOL["execute"](notebook)
        assert wire.asked
        for cell in notebook["cells"]:
            assert cell["cell_type"] == "markdown" or cell["execution_count"]


def test_pages_show_what_the_notebooks_gave() -> None:
    assert len(NOTEBOOKS) == 3
    done = subprocess.run(
        [sys.executable, TOOL["__file__"], "pages", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for path in NOTEBOOKS:
        cells = [cell for cell in TOOL["read"](path)["cells"] if cell["cell_type"] == "code"]
        assert all(cell["execution_count"] for cell in cells)
        assert any(cell["outputs"] for cell in cells)
