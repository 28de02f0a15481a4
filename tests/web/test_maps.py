"""The map tells what its reader may see, now and at any time; addresses are found; the list says the same."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from tests.support import HOUSE, batch
from tests.web.catalogue.conftest import DAY, MIDNIGHT, house  # noqa: F401  a fixture

from allmende.domain.batch import Batch
from allmende.domain.bounds import Bounds
from allmende.domain.errors import ConfigurationError
from allmende.domain.feature_checks import check_features
from allmende.domain.policy import ANONYMOUS
from allmende.domain.records import Collection, Feature, Features, Position, Series
from allmende.domain.times import format_instant
from allmende.web.accounts.models import AuditEntry, User
from allmende.web.cli import main
from allmende.web.grants.models import Grant
from allmende.web.house import open_profile, open_store
from allmende.web.map_settings import check_embed_hosts
from allmende.web.maps import layers, register
from allmende.web.maps.models import Address

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]
INSIDE = (11.5, 50.9)


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Each test has data of its own under the same numbers."""
    layers.forget()
    register.forget()


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def change(**values: Any) -> None:
        monkeypatch.setattr(settings, "ALLMENDE", msgspec.structs.replace(settings.ALLMENDE, **values))

    return change


def get(path: str, status: int = 200, client: Client | None = None) -> str:
    answer = (client or Client()).get(path, headers={"accept-language": "en"})
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def ask(path: str, status: int = 200, client: Client | None = None) -> Any:
    return json.loads(get(path, status, client))


def add_thing(name: str, at: tuple[float, float], value: Any = 5, **more: Any) -> None:
    made = batch(Series(stream=f"{name}~free", times=[MIDNIGHT], results=[value]), dataset="parking", **more)
    told = made.declarations[0]
    place = msgspec.structs.replace(told.thing, position=Position(*at))
    sensor = msgspec.structs.replace(told.sensor, id="sensor-parking")
    made.declarations = [msgspec.structs.replace(told, thing=place, sensor=sensor)]
    made.origin = "feed-parking"
    open_store().append(made)


def add_trees(dataset: str = "parking", name: str = "oaks") -> None:
    point = {"type": "Point", "coordinates": [11.58, 50.92]}
    found, _ = check_features(
        Features(collection=name, items=[Feature(id="oak-1", geometry=point, properties={"species": "Oak"})]), Bounds()
    )
    told = Collection(id=name, title=f"Trees of {dataset}")
    open_store().append(
        Batch(
            origin=f"trees-{dataset}", dataset=dataset, reader=HOUSE, received_at=MIDNIGHT, collections=[told],
            features=[found],
        )
    )  # fmt: skip


def test_the_page_lists_layers_and_says_what_is_simulated() -> None:
    add_trees("transit", "hidden-oaks")
    page = get("/map/")
    assert 'data-atlas-layer="things:parking"' in page
    assert 'data-atlas-layer="ground:districts"' in page
    assert "transit" not in page
    assert "hidden-oaks" not in page
    simulated = page.partition('data-atlas-layer="things:demo-parking"')[2].partition("</li>")[0]
    assert "data-simulated" in simulated.partition(">")[0]
    assert "Nobody measured them" in simulated
    assert "checked" not in simulated
    assert "checked" in page.partition('data-atlas-layer="things:parking"')[2].partition("</li>")[0]


def test_things_come_with_values_classes_and_words() -> None:
    add_thing("rathaus", (11.6, 50.9), 250)
    said = ask("/map/things.json?layer=things:parking")
    values = {one["id"]: one["properties"] for one in said["features"]}
    assert values["goethe"]["value"] == 7
    assert values["goethe"]["time"] == format_instant(MIDNIGHT)
    assert values["rathaus"]["text"] == "250"
    assert sum(said["scale"]["counts"]) == 3
    assert said["scale"]["labels"][0].startswith("below ")
    assert len(said["scale"]["labels"]) == len(said["scale"]["counts"]) == len(said["scale"]["breaks"]) + 2
    assert not said["simulated"]
    assert ask("/map/things.json?layer=things:demo-parking")["simulated"]


@pytest.mark.parametrize("path", ["things.json", "values.json"])
def test_a_layer_that_may_not_be_seen_is_as_one_that_is_not_there(path: str) -> None:
    hidden = ask(f"/map/{path}?layer=things:transit&at=2030-01-01", 404)
    assert hidden == {**ask(f"/map/{path}?layer=things:nothing&at=2030-01-01", 404), "error": hidden["error"]}
    assert hidden["error"].replace("transit", "nothing") == "there is no layer 'things:nothing'"
    get("/map/thing/?layer=things:transit&id=bus", 404)
    assert "bus" not in get("/map/list/?layer=things:transit&layer=things:parking")
    assert ask("/map/suggest.json?q=bus")["found"] == []


def test_who_was_granted_a_dataset_sees_its_layer_and_nobody_else() -> None:
    anna = User.objects.create_user("anna")
    Grant.objects.create(dataset="transit", user=anna, purpose="work", until=timezone.localdate() + timedelta(days=9))
    client = Client()
    client.force_login(anna)
    assert 'data-atlas-layer="things:transit"' in get("/map/", client=client)
    answer = client.get("/map/values.json?layer=things:transit")
    assert answer.json()["values"]["bus"][0] == 7
    assert "private" in answer["Cache-Control"]
    assert 'data-atlas-layer="things:transit"' not in get("/map/")
    assert ask("/map/suggest.json?q=bus", client=client)["found"] == [], "found is what everybody may see"


def test_the_time_slider_tells_what_a_plain_question_tells() -> None:
    minute = 60_000_000
    times = [MIDNIGHT + n * 7 * minute for n in range(1, 40)]
    series = Series(stream="goethe~free", times=times, results=list(range(1, 40)))
    made = batch(series, dataset="parking", origin="feed-parking")
    told = made.declarations[0]
    made.declarations = [
        msgspec.structs.replace(told, sensor=msgspec.structs.replace(told.sensor, id="sensor-parking"))
    ]
    open_store().append(made)
    for step in range(-3, 300, 11):
        at = MIDNIGHT + step * minute
        said = ask(f"/map/values.json?layer=things:parking&at={format_instant(at)}")
        for thing in ("goethe", "markt"):
            points = open_store().points(ANONYMOUS, f"{thing}~free", at, at + 1, before=True)
            assert said["values"][thing][0] == points.results[-1]
            assert said["values"][thing][2] == format_instant(points.times[-1])
    assert ask(f"/map/values.json?layer=things:parking&at={format_instant(MIDNIGHT - 2 * DAY)}")["values"] == {}


def test_a_time_of_the_citys_clock_is_one_of_its_zone() -> None:
    said = ask("/map/values.json?layer=things:parking&at=2025-11-08T01:00")
    assert said["at"] == "2025-11-08T00:00:00.000Z"
    assert ask("/map/values.json?layer=things:parking&at=2025-10-26T02:30")["at"] == "2025-10-26T00:30:00.000Z"


def test_there_are_limits_and_they_are_told(limits: Callable[..., None]) -> None:
    add_thing("far", (11.9, 50.5))
    limits(map_things=2, map_rows=1)
    assert ask("/map/things.json?layer=things:parking")["capped"]
    assert ask("/map/values.json?layer=things:parking")["capped"]
    within = ask("/map/things.json?layer=things:parking&bbox=11.8,50.4,12,50.6")
    assert [one["id"] for one in within["features"]] == ["far"]
    assert not within["capped"]
    assert "there are more" in get("/map/list/?layer=things:parking")


def test_tiles_of_a_layer_are_those_of_the_interface() -> None:
    add_trees()
    add_trees("transit", "hidden-oaks")
    page = get("/map/")
    address = page.partition('data-atlas-layer="oaks"')[2].partition('data-tiles="')[2].partition('"')[0]
    assert address == "/ogc/v1/collections/oaks/tiles/WebMercatorQuad/{z}/{y}/{x}"
    assert b"oak-1" in Client().get(address.format(z=0, y=0, x=0)).content
    assert Client().get(address.replace("oaks", "hidden-oaks").format(z=0, y=0, x=0)).status_code == 404
    assert "Oak (oak-1)" in get("/map/list/?layer=oaks")
    assert "Oak" in get("/map/thing/?layer=oaks&id=oak-1&part=1")


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("at=yesterday", "at"),
        ("at=99999-01-01", "at"),
        ("at=0001-01-01", "at"),
        ("at=9999-12-31T23:59:59Z", "at"),
        ("district=nowhere", "district"),
        ("near=1", "near"),
        ("near=400,1", "near"),
        ("radius=-1", "radius"),
        ("radius=999999", "radius"),
        ("bbox=1,2,3", "bbox"),
        ("pos=a/b/c", "pos"),
        ("near=nan,1", "near"),
    ],
)
def test_an_option_that_cannot_be_read_is_named(option: str, name: str) -> None:
    for path in ("/map/", "/map/list/"):
        assert f"{name}: " in get(f"{path}?{option}", 400)
    assert ask(f"/map/values.json?layer=things:parking&{option}", 400)["where"] == name


def test_too_many_layers_are_refused_and_one_is_asked_at_a_time() -> None:
    many = "&".join(f"layer=l{n}" for n in range(60))
    get(f"/map/?{many}", 400)
    assert ask("/map/things.json?layer=a&layer=b", 400)["where"] == "layer"
    assert ask("/map/things.json?layer=ground:waters", 404)


# --- addresses ---


def take(tmp_path: Path, *rows: str, capsys: Any = None) -> tuple[int, str, str]:
    path = tmp_path / "constructed_addresses.csv"
    path.write_text("\n".join(["street,number,postcode,place,lon,lat", *rows]), "utf-8")
    code = main(["addresses", "import", str(path), "--source", "Town survey", "--licence", "CC0"])
    return (code, *capsys.readouterr()) if capsys else (code, "", "")


def test_the_list_is_cut_to_what_lies_around_an_address(tmp_path: Path) -> None:
    add_thing("near", (11.5801, 50.9201))
    add_thing("far", (11.7, 50.9))
    assert take(tmp_path, "Marktstraße,1,07743,Mitte,11.58,50.9205", "Marktstraße,3,07743,Mitte,11.7,50.9")[0] == 0
    page = get("/map/list/?layer=things:parking&q=Marktstr.+1&radius=250")
    assert "Within 250 m of Marktstraße 1, 07743 Mitte" in page
    rows = [piece.partition("</a>")[0] for piece in page.split('<th scope="row"')[1:]]
    assert [row.rpartition(">")[2] for row in rows] == ["Near", "Goethe", "Markt"]
    assert "Far" not in page
    assert "Town survey, CC0" in page
    assert "Nothing is called “Xyzzyplatz”" in get("/map/list/?layer=things:parking&q=Xyzzyplatz")


def test_suggestions_know_addresses_districts_and_places(tmp_path: Path) -> None:
    take(tmp_path, "Goethestraße,1,07743,Mitte,11.58,50.9205")
    found = ask("/map/suggest.json?q=goethe")["found"]
    assert {(hit["kind"], hit["name"]) for hit in found} == {("street", "Goethestraße"), ("thing", "Goethe")}
    assert next(hit["id"] for hit in found if hit["kind"] == "thing") == "things:parking|goethe"
    area = register.areas_of().all[0]
    assert ask(f"/map/suggest.json?q={area.name}")["found"][0]["id"] == area.id
    take(tmp_path, "Schillerstraße,1,07743,Mitte,11.58,50.9205")
    assert ask("/map/suggest.json?q=goethestraße 1")["found"] == [], "the register was replaced as a whole"


def test_an_import_tells_bad_rows_and_stands_in_the_audit_log(tmp_path: Path, capsys: Any) -> None:
    code, out, err = take(tmp_path, "Markt,1,07743,,11.58,50.92", "Markt,,07743,,11.58,50.92", capsys=capsys)
    assert code == 0
    assert "1 addresses taken over; 1 rows could not be taken" in out
    assert "constructed_addresses.csv, line 3: has no house number" in err
    assert Address.objects.get().place == (register.areas_of().of([(11.58, 50.92)])[0] or Address(place="")).name  # type: ignore[union-attr]
    entry = AuditEntry.objects.filter(action="import", object="addresses").get()
    assert entry.detail["count"] == 1
    code, out, err = take(tmp_path, "only,bad,rows,,x,y", capsys=capsys)
    assert code != 0
    assert "no address that could be taken" in err
    assert Address.objects.count() == 1, "nothing was changed"
    assert main(["addresses", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == "Town survey"
    assert main(["addresses", "remove"]) == 0
    assert Address.objects.count() == 0
    assert "No addresses were taken over yet" in get("/map/")


# --- districts, frames ---


def test_a_district_cuts_list_and_figures() -> None:
    area = register.areas_of().all[0]
    point = area.shape.representative_point()
    add_thing("inside", (point.x, point.y), 30)
    add_trees()
    told = get(f"/map/district/?district={area.id}&layer=things:parking&layer=oaks")
    assert area.name in told
    assert "lowest 30, mean 30, highest 30" in told
    page = get(f"/map/list/?district={area.id}&layer=things:parking")
    assert "Inside" in page
    assert "Goethe" not in page or register.areas_of().of([(11.58, 50.92)])[0] is area
    said = ask(f"/map/things.json?layer=things:parking&district={area.id}")
    assert "inside" in [one["id"] for one in said["features"]]
    get("/map/district/", 404)


def test_the_frame_says_who_may_show_it_and_shows_what_is_open(limits: Callable[..., None]) -> None:
    get("/map/embed/", 404)
    limits(embed_hosts=("https://school.example",))
    client = Client()
    client.force_login(User.objects.create_superuser("head"))
    answer = client.get("/map/embed/?layer=things:transit&layer=things:parking")
    assert "frame-ancestors https://school.example;" in answer["Content-Security-Policy"]
    assert b'layer="things:transit"' not in answer.content
    assert b'layer="things:parking"' in answer.content
    assert "frame-ancestors 'none'" in client.get("/map/")["Content-Security-Policy"]
    assert "data-atlas-frame" in get("/map/")


def test_a_host_that_would_break_the_header_is_refused() -> None:
    check_embed_hosts(("*",))
    check_embed_hosts(("https://*.city.example", "http://localhost:8000"))
    for wrong in ("city.example", "https://a.example/path", "https://a; script-src *", "'self'"):
        with pytest.raises(ConfigurationError):
            check_embed_hosts((wrong,))


def test_a_link_brings_back_the_view() -> None:
    page = get("/map/?layer=ground:waters&layer=things:parking&show:things:parking=x&at=2025-11-08T00:00:00Z&district=")
    order = [piece.partition('"')[0] for piece in page.split('data-atlas-layer="')[1:]]
    assert order[0] == "things:parking"
    assert 'data-at="2025-11-08T00:00:00.000Z"' in page
    assert "/map/list/?layer=ground:waters&amp;layer=things:parking" in page
    none = get("/map/?layer=")
    assert "checked" not in none.partition('id="layers-title"')[2].partition('id="district-title"')[0]


def test_the_page_speaks_simple_german() -> None:
    answer = Client().get("/map/", headers={"accept-language": "de-simple"})
    assert "Was wollen Sie sehen?" in answer.content.decode()
    assert open_profile().name in answer.content.decode()
