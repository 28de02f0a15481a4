"""A town with trees, roadworks and measuring stations, and the face to ask for them."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from allmende.domain.batch import Batch
from allmende.domain.bounds import Bounds
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.feature_checks import check_features
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.records import (
    Collection,
    Declaration,
    Feature,
    Features,
    Position,
    Property,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.store import Store
from allmende.domain.times import DAY, parse_instant
from allmende.faces.ogc.drawn import Drawn
from allmende.faces.ogc.face import answer
from allmende.faces.ogc.layers import About, DatasetWords
from tests.support import DATASETS, ENGINES, HOUSE

ROOT = "https://city.example/ogc/v1"
AT = parse_instant("2026-03-01T12:00:00Z")
ABOUT = About(
    title="Town",
    description="All of it",
    language="en",
    datasets={
        "parking": DatasetWords(
            title="Parking", licence="https://licence.example", licence_title="Free", address="/dataset/parking"
        ),
        "simulated": DatasetWords(title="Simulated", simulated=True),
    },
)
Ask = Callable[..., Response]
KINDS = ("Acer", "Tilia", "Quercus")


def tree(number: int) -> Feature:
    """They stand on a grid of hundredths of a degree, ten in a row from the west, from the south on."""
    point = {"type": "Point", "coordinates": [11.5 + (number % 10) / 100, 50.9 + (number // 10) / 100]}
    said = {"species": KINDS[number % 3], "height": number / 2, "street": f"Straße {number // 10}", "old": number > 20}
    return Feature(id=f"{number:03}", geometry=point, properties=said)


def work(name: str, geometry: dict[str, Any] | None, start: int | None, end: int | None) -> Feature:
    return Feature(id=name, geometry=geometry, properties={"name": name}, valid_from=start, valid_to=end)


LINE = {"type": "LineString", "coordinates": [[11.5, 50.9], [11.6, 51.0]]}
RING = [[11.50, 50.90], [11.52, 50.90], [11.52, 50.92], [11.50, 50.92], [11.50, 50.90]]
WORKS = [
    work("march", LINE, AT, AT + 10 * DAY),
    work("for/ever", {"type": "Polygon", "coordinates": [RING]}, None, None),
    work("until april", {"type": "Point", "coordinates": [11.59, 50.93, 140.5]}, None, AT + 30 * DAY),
    work("nowhere", None, AT + 365 * DAY, None),
]


def deliver(store: Store, collection: Collection, items: list[Feature], dataset: str = "parking", at: int = AT) -> None:
    kept, faults = check_features(Features(collection=collection.id, items=items), Bounds())
    assert not faults
    store.append(
        Batch(
            origin=f"register-{collection.id}", dataset=dataset, reader=HOUSE, received_at=at,
            collections=[collection], features=[kept], delivered=[collection.id] if collection.snapshot else [],
        )
    )  # fmt: skip


def measure(store: Store, thing: str, place: Position | None, values: dict[str, Any], dataset: str = "parking") -> None:
    """Two readings a minute apart of each property; the later is the value."""
    declarations = [
        Declaration(
            stream=f"{thing}~{name}",
            name=f"{name} of {thing}",
            thing=ThingDeclaration(id=thing, name=thing.title(), properties={"zone": 1}, position=place),
            sensor=SensorDeclaration(id=f"barrier-{dataset}", name="Barrier"),
            observed_property=Property(id=name, name=name.title(), definition=f"https://example.org/{name}"),
            unit=Unit("spaces", "{space}"),
            observation_type="any",
        )
        for name in values
    ]
    series = [
        Series(stream=f"{thing}~{name}", times=[AT - 60_000_000, AT], results=[0, value])
        for name, value in values.items()
    ]
    store.append(
        Batch(
            origin=f"feed-{dataset}", dataset=dataset, reader=HOUSE, received_at=AT,
            declarations=declarations, series=series,
        )
    )  # fmt: skip


def furnish(store: Store) -> Store:
    """Everything; what is hidden lies in the middle of what is open."""
    store.put_datasets(DATASETS)
    fields = {"species": {"type": "string", "title": "Species"}}
    deliver(store, Collection(id="trees", title="Trees", snapshot=True, fields=fields), [tree(n) for n in range(40)])
    deliver(store, Collection(id="works", title="Roadworks"), WORKS)
    deliver(store, Collection(id="secret-trees", title="Secret"), [tree(n) for n in range(5)], "hidden")
    measure(store, "garage", Position(11.58, 50.92), {"free": 17, "occupied": 3})
    measure(store, "square", Position(11.60, 50.94), {"free": 2})
    measure(store, "lost", None, {"free": 9})
    measure(store, "bunker", Position(11.59, 50.93), {"free": 987_654}, "hidden")
    measure(store, "toy", Position(11.59, 50.93), {"free": 1}, "simulated")
    return store


@pytest.fixture(scope="module", params=sorted(ENGINES))
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """For all tests of a module, which only read."""
    return furnish(ENGINES[request.param](tmp_path_factory.mktemp("town")))


@pytest.fixture
def ask(town: Store) -> Ask:
    """Asks; ``ask("collections/trees/items?limit=2")`` is JSON."""
    drawn = Drawn(1_000_000)

    def once(address: str, reader: Reader = ANONYMOUS, limits: FaceLimits | None = None, **more: Any) -> Response:
        path, _, query = address.removeprefix(ROOT).partition("?")
        request = Request(
            method=more.pop("method", "GET"), path=path, query=query, root=ROOT, reader=reader, now=AT, **more
        )
        return answer(request, town, limits or FaceLimits(), ABOUT, drawn)

    return once


@pytest.fixture
def read(ask: Ask) -> Callable[..., Any]:
    """The JSON of a good answer."""

    def once(address: str, **more: Any) -> Any:
        response = ask(address, **more)
        assert response.status == 200, response.body
        return msgspec.json.decode(response.body)

    return once
