"""The examples on the page, on what Jena's sources sent: they run, and their charts can be drawn."""

import gzip
import io
from typing import Any

import msgspec
import pytest
from tests.support import captured

from allmende.knowledge.sql.views import views
from allmende.web.house import furnish, open_profile, open_store
from allmende.web.intake import Intake
from allmende.web.sql.asking import HOUSE, ask
from allmende.web.sql.chart import draw, wanted
from allmende.web.sql.data import shelf
from allmende.web.sql.examples import every, examples

pytestmark = pytest.mark.django_db
FILES = {
    "jena-parking": ("parking", "jena_free_2023-11-07_2024-04-30.csv.gz"),
    "dwd-jena": ("weather", "jena_sternwarte_hourly_2022-10_2024-04.csv"),
    "trees": ("geo", "jena_trees_2022.csv.gz"),
}
LINES = {"jena-parking": slice(7_000), "dwd-jena": slice(8_700, 9_200), "trees": slice(500)}
"""Lines that are taken, beside the first: of the weather the days of the parking."""


def head(source: str) -> bytes:
    path = captured(*FILES[source])
    body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    first, *lines = body.splitlines(keepends=True)
    return b"".join([first, *lines[LINES[source]]])


@pytest.fixture
def jena(db: None, settings: Any, tmp_path: Any) -> Any:
    from allmende.web.downloads.dumping import Dumper

    profile = open_profile()
    if not set(FILES) <= set(profile.sources):
        pytest.skip("these sources are Jena's")
    bodies = {source: head(source) for source in FILES}
    settings.ALLMENDE = msgspec.structs.replace(settings.ALLMENDE, home=tmp_path, disk_floor=0)
    furnish(open_store(), profile)
    intake = Intake(open_store(), profile, settings.ALLMENDE)
    for source, body in bodies.items():
        intake.take_file(source, io.BytesIO(body), lambda receipt: None, name=source)
    assert not Dumper(open_store(), settings.ALLMENDE).round(profile).failed
    return profile


def test_each_example_answers(jena: Any) -> None:
    stock = shelf(jena)
    names = {view.name for view in views(stock.data)}
    assert examples(names) == list(every())
    for example in every():
        found = ask(example.query, HOUSE, jena)
        assert found.count > 1, example.query
        assert not found.cut
        drawn = wanted(example.chart, found.columns)
        assert drawn == example.chart
        if drawn:
            chart = draw(found, drawn, jena.time_zone)
            assert chart is not None
            assert chart.lines or chart.bars
    assert not examples(set())
