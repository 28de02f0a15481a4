"""Tables of groups in the office: typed row by row, uploaded, looked at before the release, undone with their files."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.web.office import living_in, make_town

from allmende.web.accounts.models import User
from allmende.web.house import open_profile
from allmende.web.office import revisions
from allmende.web.office.models import Revision

pytestmark = pytest.mark.django_db
CSV = "id,name,member,depth\n1,Meadow,sensor-1,30\n2,Hill,sensor-2,60\n"
HEAD = """
[groups.site]
table = "sites.csv"
kind = "site"
title = { de = "Standort", en = "Site" }
source = "made up"
date = "2026"
prefix = "site-"
facts = ["depth"]

[groups.area]
table = "areas.geojson"
kind = "area"
title = { de = "Fläche", en = "Area" }
source = "made up"
date = "2026"
match = "inside"
"""
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
AREAS = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"id": "a", "name": "A", "size": 3}, "geometry": SQUARE}],
}
FORM = {
    "title.de": "Standort", "title.en": "Site", "kind": "site", "source": "made up", "date": "2026", "seen": "0",
    "match": "members", "key": "id", "name": "name", "member": "member", "facts": "depth", "prefix": "site-",
}  # fmt: skip


@pytest.fixture
def client(tmp_path, settings, db):
    folder = make_town(tmp_path / "town")
    for name, text in (("town.toml", HEAD), ("sites.csv", CSV), ("areas.geojson", json.dumps(AREAS))):
        (folder / "rules" / name).write_text(text)
    with living_in(folder, settings):
        client = Client(headers={"accept-language": "en"})
        client.force_login(User.objects.create_superuser("anna"))
        yield client


def cells(*rows: list[str]) -> dict[str, str]:
    named = {f"cell.{row}.{at}": text for row, said in enumerate(rows) for at, text in enumerate(said)}
    return {"table.rows": str(len(rows)), **named}


def release(kind: str, key: str) -> Revision:
    draft = revisions.open_revision(kind, key)
    return revisions.release(draft, User.objects.create_superuser(f"other-{draft.number}"), seen=draft.turn)[0]


def groups(name: str) -> dict:
    return {each.key: each for each in open_profile().groups[name].groups}


def test_rows_are_typed_seen_beforehand_released_and_undone(client):
    page = client.get("/office/groups/site/edit/").text
    assert 'name="cell.1.2" type="text" value="sensor-2" aria-label="member, line 2"' in page
    typed = cells(["1", "Meadow", "sensor-1 sensor-9", "30"], ["", "", "", ""], ["3", "Pond", "", "90"])
    page = client.post("/office/groups/site/edit/", {**FORM, **typed}, follow=True).text
    for words in (
        "<strong>Meadow</strong> gets sensor-9",
        "<strong>Pond</strong> is new",
        "<strong>Hill</strong> goes",
    ):
        assert words in page
    assert groups("site").keys() == {"1", "2"}, "a draft changes nothing"
    made = release("groups", "site")
    assert groups("site")["1"].members == {"sensor-1", "sensor-9"}
    assert groups("site")["3"].facts == {"depth": "90"}
    revisions.undo(made, "cli:x", reason="no")
    assert groups("site")["2"].members == {"sensor-2"}


def test_what_is_as_it_was_brings_no_file(client):
    rows = [line.split(",") for line in CSV.splitlines()[1:]]
    client.post("/office/groups/site/edit/", {**FORM, **cells(*rows), "title.en": "Sites"})
    draft = revisions.open_revision("groups", "site")
    assert (draft.files, draft.body["table"], draft.body["title"]["en"]) == ({}, "sites.csv", "Sites")


def test_figures_beside_outlines_are_typed_and_the_outlines_stay(client):
    form = {**FORM, "kind": "area", "match": "inside", "facts": "size", "member": "member", "prefix": ""}
    client.post("/office/groups/area/edit/", {**form, **cells(["a", "Areal", "4"])})
    release("groups", "area")
    (area,) = groups("area").values()
    assert (area.name, area.facts, area.outline) == ("Areal", {"size": 4}, SQUARE)


def test_new_groups_come_with_a_file_and_a_wrong_one_is_told(client):
    wrong = SimpleUploadedFile("x.csv", b"name\nMeadow\n")
    answer = client.post("/office/new/groups/", {**FORM, "new.id": "yards", "facts": "", "table_file": wrong})
    assert answer.status_code == 422
    assert "has no" in answer.text
    assert not Revision.objects.exists()
    good = SimpleUploadedFile("x.csv", b"id,name\n1,Yard\n")
    answer = client.post("/office/new/groups/", {**FORM, "new.id": "yards", "facts": "", "table_file": good})
    assert answer.status_code == 302, answer.text
    release("groups", "yards")
    assert groups("yards")["1"].thing == "site-1"
