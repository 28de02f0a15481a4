"""Boards: composed, shared, published and restored; and what outsiders see of them."""

import json
import re
from datetime import timedelta
from secrets import token_hex

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from msgspec.structs import replace
from tests.web.vault import person, streams  # noqa: F401  a fixture

from allmende.domain.batch import Batch
from allmende.domain.boards import BoardContent, BoardProfile, Tile
from allmende.domain.bounds import Bounds
from allmende.domain.feature_checks import check_features
from allmende.domain.policy import house_reader
from allmende.domain.records import Collection, Feature, Features
from allmende.domain.stories import StoryContent, StoryProfile, StoryText
from allmende.web.accounts.models import AuditEntry, Organisation, User
from allmende.web.accounts.people import remove_user
from allmende.web.boards import kinds
from allmende.web.boards.models import Board, BoardVersion
from allmende.web.cli import checks
from allmende.web.grants.models import Grant
from allmende.web.house import open_profile, open_store
from allmende.web.profiles import available_profiles, load_profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> tuple[User, Client]:
    """An editor, who may open boards to all."""
    return person("anna", "editor")


@pytest.fixture
def insider() -> tuple[User, Client]:
    """An editor who may read the vault."""
    user, client = person("ida", "editor")
    until = timezone.localdate() + timedelta(days=9)
    Grant.objects.create(dataset="vault", user=user, purpose="to look after the cellar", until=until)
    return user, client


def board_of(client: Client, title: str = "Mein Hof") -> str:
    answer = client.post("/boards/new/", {"title": title, "description": "Was zählt"})
    assert answer.status_code == 302, answer.text
    return str(answer["Location"].split("/")[2])


def add(client: Client, name: str, kind: str, **said: object):
    return client.post(f"/boards/{name}/compose/new/{kind}/", {"width": "1", "then": "keep", **said})


def do(client: Client, name: str, deed: str, **more: str) -> None:
    assert client.post(f"/boards/{name}/compose/", {"do": deed, **more}).status_code == 302


def tiles(name: str) -> list[dict]:
    return Board.objects.get(handle=name).draft["tiles"]


def open_to_all(client: Client, name: str):
    assert client.post(f"/boards/{name}/share/", {"audience": "public"}).status_code == 302
    return client.post(f"/boards/{name}/publish/", {"note": "fertig"})


def seen_by(client: Client, name: str) -> str:
    """All that the addresses of a board tell; what is another each time is left out."""
    told = [client.get(f"/boards/{name}/{path}") for path in ("", "fresh/", "wall/", "embed/")]
    text = "".join(f"{each.status_code} {each.text}" for each in (*told, client.get("/boards/")))
    return re.sub(r'(csrfmiddlewaretoken" value="|datetime="20)[^"]+', r"\1", text)


# --- composing ---


def test_a_board_is_composed_published_and_restored(anna):
    client, nobody = anna[1], Client(HTTP_ACCEPT_LANGUAGE="de")
    name = board_of(client)
    found = client.post(f"/boards/{name}/compose/new/value/", {"then": "look_for", "look_for": "yard warmth"})
    assert 'value="yard~t"' in found.text
    assert 'role="alert"' not in found.text
    assert "cellar" not in found.text
    assert add(client, name, "value", heading="Hof", streams="yard~t").status_code == 302
    assert add(client, name, "text", heading="Wort", text="**fett** <script>x</script>").status_code == 302
    first, second = (tile["id"] for tile in tiles(name))
    do(client, name, f"up:{second}")
    do(client, name, f"width-3:{first}")
    assert [(tile["id"], tile["width"]) for tile in tiles(name)] == [(second, 1), (first, 3)]
    do(client, name, "order:", order=f"{first},{second},gone")
    assert [tile["id"] for tile in tiles(name)] == [first, second]

    # a draft is nobody else's
    assert nobody.get(f"/boards/{name}/").status_code == 404
    assert "12,5" not in client.get(f"/boards/{name}/preview/").text  # the newest alone
    assert "13,5" in client.get(f"/boards/{name}/preview/?as=anybody").text
    assert open_to_all(client, name)["Location"] == f"/boards/{name}/"
    page = nobody.get(f"/boards/{name}/").text
    assert "13,5" in page
    assert "<strong>fett</strong>" in page
    assert "<script>x" not in page

    # what is changed afterwards is a draft again
    do(client, name, f"remove:{first}")
    assert "13,5" in nobody.get(f"/boards/{name}/").text
    assert "Kachel entfernt" in client.get(f"/boards/{name}/publish/").text
    client.post(f"/boards/{name}/publish/")
    assert "13,5" not in nobody.get(f"/boards/{name}/").text
    compared = client.get(f"/boards/{name}/versions/1/?with=2").text
    assert "Kachel entfernt" in compared
    assert "Hof" in compared
    client.post(f"/boards/{name}/versions/1/")
    client.post(f"/boards/{name}/publish/")
    assert "13,5" in nobody.get(f"/boards/{name}/").text
    assert list(BoardVersion.objects.values_list("number", flat=True)) == [3, 2, 1]
    log = list(AuditEntry.objects.filter(object=f"board:{name}").values_list("action", flat=True))
    assert log[:4] == ["board.publish", "board.restore", "board.change", "board.publish"]
    assert log[-1] == "board.create"


def deliver_fountains(dataset: str, name: str) -> None:
    """Two places in the city and one far away, with a number each."""
    lon, lat = open_profile().geography.center
    places = {"Markt": (lon, lat, 4), "Hof": (lon + 0.01, lat, 1), "Ferne": (lon + 9, lat, 2)}
    items = [
        Feature(id=each, geometry={"type": "Point", "coordinates": [x, y]}, properties={"name": each, "jets": jets})
        for each, (x, y, jets) in places.items()
    ]
    found, faults = check_features(Features(collection=name, items=items), Bounds())
    assert not faults
    collection = Collection(id=name, title="Brunnen", snapshot=True)
    batch = Batch(delivered=[name], origin="test", dataset=dataset, reader=house_reader("test"), received_at=1,
                  collections=[collection], features=[found])  # fmt: skip
    open_store().append(batch)


def test_objects_are_drawn_on_a_small_map_and_as_bars(anna, insider):
    open_ = next(each.id for each in open_profile().datasets.values() if each.access == "open" and not each.simulated)
    collections = {dataset: f"{dataset}-{token_hex(4)}" for dataset in (open_, "vault")}
    for dataset, collection in collections.items():
        deliver_fountains(dataset, collection)
    client, nobody = insider[1], Client(HTTP_ACCEPT_LANGUAGE="de")
    name = board_of(client)
    assert add(client, name, "map", heading="Wo", layer=collections[open_], rows="2").status_code == 302
    objects = {"collection": collections[open_], "number": "jets", "rows": "5"}
    assert add(client, name, "objects", heading="Wie viel", **objects).status_code == 302
    assert collections["vault"] in client.get(f"/boards/{name}/compose/new/map/").text
    assert collections["vault"] not in anna[1].get(f"/boards/{board_of(anna[1])}/compose/new/map/").text
    open_to_all(client, name)
    page = nobody.get(f"/boards/{name}/").text
    assert len(re.findall('<circle class="tile__spot"[^>]*><title>(Markt|Hof)</title>', page)) == 2, "what lies in it"
    assert "3 Orte" in page
    assert "und 1 weiterer" in page or "und 1 weitere" in page
    assert re.findall(r'tile__bar" width="([\d.]+)"', page) == ["50.0", "25.0", "100.0"]


def test_what_is_wrong_in_a_tile_is_said_and_nothing_is_kept(anna):
    name = board_of(anna[1])
    for kind, said in (
        ("value", {"heading": "Hof"}),
        ("value", {"heading": "", "streams": "yard~t"}),
        ("value", {"heading": "Keller", "streams": "cellar~t"}),  # which is not hers to see
        ("value", {"heading": "Nichts", "streams": "none~t"}),
        ("link", {"heading": "x", "address": "javascript:alert(1)", "words": "x"}),
        ("link", {"heading": "x", "address": "//evil.example", "words": "x"}),
        ("table", {"heading": "x", "rows": "5"}),
        ("objects", {"heading": "x", "collection": "none", "rows": "5"}),
    ):
        assert add(anna[1], name, kind, **said).status_code == 422, said
    assert tiles(name) == []
    assert add(anna[1], name, "none", heading="x").status_code == 404
    assert anna[1].post(f"/boards/{name}/publish/").status_code == 422  # without a tile


def test_what_another_window_kept_is_not_overwritten_by_one_who_did_not_see_it(anna):
    client = anna[1]
    name = board_of(client)
    add(client, name, "text", heading="Wort", text="alt")
    tile = tiles(name)[0]["id"]
    for address, mine, theirs in (
        ("compose/words/", {"title": "Meins"}, {"title": "Deins"}),
        (
            f"compose/{tile}/",
            {"heading": "Meins", "text": "a", "width": "1"},
            {"heading": "Deins", "text": "b", "width": "1"},
        ),
    ):
        page = client.get(f"/boards/{name}/{address}").text
        seen = re.search(r'name="seen" value="(\w+)"', page)[1]
        assert client.post(f"/boards/{name}/{address}", {**theirs, "seen": seen, "then": "keep"}).status_code == 302
        late = client.post(f"/boards/{name}/{address}", {**mine, "seen": seen, "then": "keep"})
        assert late.status_code == 422
        assert "nachdem Sie" in late.text
        assert "Deins" in json.dumps(Board.objects.get(handle=name).draft)
        again = re.search(r'name="seen" value="(\w+)"', late.text)[1]
        assert client.post(f"/boards/{name}/{address}", {**mine, "seen": again, "then": "keep"}).status_code == 302
    assert "Deins" not in json.dumps(Board.objects.get(handle=name).draft)


def test_a_hidden_stream_is_refused_in_the_same_words_as_one_that_is_not_there(anna):
    name = board_of(anna[1])
    hidden, absent = (add(anna[1], name, "value", heading="K", streams=each).text for each in ("cellar~t", "nowher~t"))
    clean = re.compile(r'csrfmiddlewaretoken" value="[^"]+')
    assert clean.sub("", hidden).replace("cellar~t", "nowher~t") == clean.sub("", absent)


def test_limits_are_kept(anna, monkeypatch):
    limits = replace(settings.ALLMENDE, boards_each=1, board_tiles=1)
    monkeypatch.setattr(settings, "ALLMENDE", limits)
    name = board_of(anna[1])
    assert anna[1].post("/boards/new/", {"title": "Noch eines"}).status_code == 422
    assert add(anna[1], name, "text", heading="1", text="1").status_code == 302
    assert add(anna[1], name, "text", heading="2", text="2").status_code == 422
    assert len(tiles(name)) == 1


# --- who sees what ---


def test_outsiders_see_nothing_of_a_tile_that_reads_what_is_hidden(insider, anna):
    """Neither its value nor its words; the board is as if the tile had never been in it."""
    client = insider[1]
    name = board_of(client)
    add(client, name, "text", heading="Für alle", text="Guten Tag")
    assert add(client, name, "value", heading="Geheimer Tresor", streams="cellar~t").status_code == 302
    assert (
        add(client, name, "table", heading="Beides im Tresor", rows="5", streams=["yard~t", "cellar~t"]).status_code
        == 302
    )
    assert open_to_all(client, name).status_code == 302
    assert "Geheimer Tresor" in client.get(f"/boards/{name}/").text
    outside = {who: seen_by(each, name) for who, each in (("nobody", Client()), ("anna", anna[1]))}
    for text in outside.values():
        assert "Guten Tag" in text
        for word in ("Tresor", "cellar", "Cellar"):
            assert word not in text
    # the same board without those tiles tells the same
    for tile in tiles(name)[1:]:
        do(client, name, f"remove:{tile['id']}")
    client.post(f"/boards/{name}/publish/")
    assert seen_by(Client(), name) == outside["nobody"]
    # and one who may change it, but may not see it, meets no words of it either
    client.post(f"/boards/{name}/versions/1/")
    told = "".join(
        anna[1].get(f"/boards/{name}/{path}").text
        for path in ("compose/", "preview/", "publish/", "versions/1/", "versions/2/?with=1")
    )
    assert "Tresor" not in told
    assert "cellar" not in told
    assert anna[1].get(f"/boards/{name}/compose/{tiles(name)[1]['id']}/").status_code == 404


def test_texts_that_name_what_is_hidden_are_not_opened_to_all(insider, anna):
    name = board_of(insider[1], "Rund um Cellar of the vault")
    add(insider[1], name, "text", heading="Siehe", text="Der Strom cellar~t steht.")
    refused = insider[1].post(f"/boards/{name}/share/", {"audience": "public"})
    assert refused.status_code == 302  # nothing of it is published yet
    refused = insider[1].post(f"/boards/{name}/publish/")
    assert refused.status_code == 422
    assert "Cellar of the vault" in refused.text
    assert "<li>cellar~t</li>" in refused.text
    assert BoardVersion.objects.count() == 0
    # whoever does not know of it learns nothing by asking
    name = board_of(anna[1], "Rund um Cellar of the vault")
    add(anna[1], name, "text", heading="Siehe", text="Der Strom cellar~t steht.")
    assert open_to_all(anna[1], name).status_code == 302


def test_a_name_of_a_dataset_is_lost_when_a_tile_reads_another_stream(insider):
    """A tile of the profile shows its heading although its stream is not there; with another stream it does not."""
    content = {"title": "x", "description": "", "tiles": []}
    known = {"id": "t0", "kind": "value", "title": "Alt", "width": 1, "settings": {"streams": ["none~t"]}}
    known["settings"]["datasets"] = [
        next(each.id for each in open_profile().datasets.values() if each.access == "open")
    ]
    name = board_of(insider[1])
    Board.objects.filter(handle=name).update(draft={**content, "tiles": [known]})
    insider[1].post(
        f"/boards/{name}/compose/t0/", {"heading": "Tresor", "width": "1", "then": "keep", "streams": "cellar~t"}
    )
    assert tiles(name)[0]["settings"] == {"streams": ["cellar~t"]}
    open_to_all(insider[1], name)
    assert "Tresor" not in seen_by(Client(), name)


def test_a_board_is_absent_for_whom_it_is_not(anna):
    office = Organisation.objects.create(id="gartenamt", title="Gartenamt")
    gardener, stranger = person("gerd", "contributor", organisation=office), person("sven", "contributor")
    name = board_of(anna[1])
    add(anna[1], name, "text", heading="Beete", text="Es blüht.")
    for audience, more, who in (
        ("private", {}, ()),
        ("organisation", {"organisation": "gartenamt"}, ("gerd",)),
        ("role", {"role": "steward"}, ()),
        ("role", {"role": "contributor"}, ("sven",)),
        ("public", {}, ("gerd", "sven", "")),
    ):
        assert anna[1].post(f"/boards/{name}/share/", {"audience": audience, **more}).status_code == 302
        anna[1].post(f"/boards/{name}/publish/")
        for each, client in (("gerd", gardener[1]), ("sven", stranger[1]), ("", Client())):
            status = client.get(f"/boards/{name}/").status_code
            assert status == (200 if each in who else 404), (audience, each)
            assert ("Mein Hof" in client.get("/boards/").text) == (each in who)
    assert {stranger[1].get(f"/boards/{name}/{path}").status_code for path in ("compose/", "preview/", "share/")} == {
        404
    }
    assert stranger[1].post(f"/boards/{name}/delete/").status_code == 404
    assert gardener[1].post(f"/boards/{name}/publish/").status_code == 404
    # a wall passes over what is not there
    anna[1].post(f"/boards/{name}/share/", {"audience": "private"})
    assert {Client().get(f"/boards/{name}/{path}").status_code for path in ("fresh/", "wall/", "embed/")} == {404}
    other = next(iter(open_profile().boards))
    walls = [Client().get(f"/boards/{other}/wall/?then={each}").text for each in (name, "none")]
    assert re.findall(r'data-round="[^"]*"', walls[0]) == re.findall(r'data-round="[^"]*"', walls[1])


def test_who_contributes_opens_boards_to_nobody_but_their_organisation():
    office = Organisation.objects.create(id="gartenamt", title="Gartenamt")
    Organisation.objects.create(id="bauamt", title="Bauamt")
    _gerd, client = person("gerd", "contributor", organisation=office)
    name = board_of(client)
    add(client, name, "text", heading="Beete", text="Es blüht.")
    for refused in ({"audience": "public"}, {"audience": "role", "role": "reader"},
                    {"audience": "organisation", "organisation": "bauamt"}):  # fmt: skip
        assert client.post(f"/boards/{name}/share/", refused).status_code == 422
    assert (
        client.post(f"/boards/{name}/share/", {"audience": "organisation", "organisation": "gartenamt"}).status_code
        == 302
    )
    assert client.post(f"/boards/{name}/publish/").status_code == 302
    assert person("rita", "reader")[1].get("/boards/new/").status_code == 403
    assert Client().get("/boards/new/").status_code == 302


def test_a_frame_shows_what_everybody_sees(insider, monkeypatch):
    name = board_of(insider[1])
    add(insider[1], name, "text", heading="Gruß", text="Guten Tag")
    add(insider[1], name, "value", heading="Tresor", streams="cellar~t")
    open_to_all(insider[1], name)
    assert insider[1].get(f"/boards/{name}/embed/").status_code == 404  # the house lets itself be shown in no frame
    monkeypatch.setattr(settings, "ALLMENDE", replace(settings.ALLMENDE, embed_hosts=("https://www.city.example",)))
    framed = insider[1].get(f"/boards/{name}/embed/")
    assert "frame-ancestors https://www.city.example;" in framed["Content-Security-Policy"]
    assert "Guten Tag" in framed.text
    assert "Tresor" not in framed.text
    assert "frame-ancestors 'none'" in insider[1].get(f"/boards/{name}/")["Content-Security-Policy"]


# --- the end ---


def test_private_boards_go_with_the_account_or_by_their_day_and_shared_ones_stay(anna):
    private, shared = board_of(anna[1], "Nur ich"), board_of(anna[1], "Für alle da")
    add(anna[1], shared, "text", heading="Gruß", text="Guten Tag")
    open_to_all(anna[1], shared)
    assert Board.objects.get(handle=shared).expires is None
    Board.objects.filter(handle=private).update(expires=timezone.localdate() - timedelta(days=1))
    kept = board_of(anna[1], "Noch da")
    assert Board.prune() == 1
    assert set(Board.objects.values_list("handle", flat=True)) == {shared, kept}
    remove_user(anna[0], actor="test")
    assert list(Board.objects.values_list("handle", "user")) == [(shared, None)]
    assert "Guten Tag" in Client().get(f"/boards/{shared}/").text


# --- boards of the profile ---


def test_boards_of_the_profile_are_shown_and_copied(anna):
    name, board = next(iter(open_profile().boards.items()))
    nobody = Client(HTTP_ACCEPT_LANGUAGE="de").get(f"/boards/{name}/")
    assert "Dazu gibt es zurzeit keine Daten" in nobody.text
    assert anna[1].get(f"/boards/{name}/compose/").status_code == 404
    copied = anna[1].post(f"/boards/{name}/copy/")["Location"].split("/")[2]
    assert len(tiles(copied)) == len(board.content.tiles)
    assert AuditEntry.objects.filter(action="board.create", object=f"board:{copied}").get().detail == {"of": name}


def test_check_names_tiles_and_blocks_that_no_kind_takes():
    tile = Tile(id="t0", kind="sorces", title="x")
    board = BoardProfile(id="b", file="boards/b.toml", content=BoardContent(title="x", tiles=(tile,)))
    text = StoryText(title="x", body="```tile kind=value\ntitle = 'x'\n```")
    story = StoryProfile(id="s", date="2026-11-22", content=StoryContent(texts={"de": text}))
    found = [each.text for each in checks._pages(replace(open_profile(), boards={"b": board}, stories={"s": story}))]
    assert found[0].startswith('boards/b.toml: boards.b.tiles[0]: there is no kind "sorces"; there are text, value')
    assert found[1].startswith("stories/s.de.md, line 1 of the text: The block of the kind")


def test_every_tile_of_a_bundled_city_is_one_that_its_kind_takes():
    for profile in map(load_profile, available_profiles()):
        for board in profile.boards.values():
            for tile in board.content.tiles:
                kind = kinds.find(tile.kind)
                assert kind is not None, (board.place, tile.kind)
                assert kind.check(tile.settings) == "", (board.place, tile.id)
