"""Bad data of every kind, the whole way: from a source's message to flag and explanation, feeds, and what a sign shows.

One house with a car park for each kind. All of them had thirty usual days; then comes what is constructed here, by the
connector of ParkAPI, the intake's checks, the store, the rules of plausibility and the states that all pages read.
"""

from collections.abc import Iterable, Set
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from allmende.city.parking import telling
from allmende.city.parking.feeds import datex, parkapi
from allmende.city.parking.models import Doubt
from allmende.city.parking.now import states_at
from allmende.city.parking.operating import showing, watching
from allmende.city.parking.present import present
from allmende.city.parking.read import car_park
from allmende.city.parking.signs.model import Display, Model, Rules, Shown
from allmende.city.parking.signs.rules import decide
from allmende.city.parking.signs.words import say_all
from allmende.city.parking.standing import SiteState
from allmende.connectors.parkapi.parse import parse
from allmende.domain import times
from allmende.domain.connector import Payload, Source, ThingFacts
from allmende.domain.ingest import IngestLimits, ingest
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Fact, ThingProfile
from allmende.domain.records import Parsed, Record
from allmende.domain.store import DatasetRecord
from allmende.storage.sqlite import SqliteStore
from tests.city.parking.test_plausibility import CAPACITY, usual_value
from tests.city.parking.test_state import TOWN
from tests.support import DATASETS, HOUSE, PlainConnections

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NOW = datetime(2024, 3, 12, 12, tzinfo=UTC)
SOON, HALF = timedelta(minutes=5), timedelta(minutes=30)
USUAL = usual_value(times.from_datetime(NOW))
MODEL = Model(
    id="m", rows=1, columns=4, characters="0123456789 -–freivolzu",
    words={"de": {"free": "frei", "full": "voll", "closed": "zu", "unknown": "–"}},
)  # fmt: skip


def rounded(free: int) -> str:
    """As a sign shows it."""
    return str(free // 5 * 5)


class Kind(msgspec.Struct, frozen=True):
    """A kind of bad data, and what has to become of it."""

    name: str
    free: Any = USUAL
    """What the message of now says."""
    said: dict[str, Any] = {}
    """And what it says besides, or otherwise."""
    since: timedelta | None = None
    """For so long it has said the same already."""
    off: int = 0
    """What the counter of the last eight days is off by."""
    stated: int = CAPACITY
    """What the profile says of the capacity."""
    source: str = "feed"
    flags: Set[str] = frozenset()
    status: str = "live"
    """What the public is told."""
    why: str = ""
    """Of the sign: the reason for its fall-back; "" where it shows what it should."""
    sign: str = "–"
    operator: str = ""
    """A flag that operators see with an explanation."""


KINDS = (
    Kind("sound", sign=rounded(USUAL)),
    Kind("drift-up", USUAL + 14, off=14, operator="drift", sign=rounded(USUAL)),
    Kind("drift-down", USUAL - 9, off=-9, operator="drift", sign=rounded(USUAL - 9)),
    Kind("drift-to-full", 1, off=-9, operator="drift", why="drift-unsure"),
    Kind("full-but-empty", 0, since=14 * HOUR, flags={"full-but-empty"}, status="no-data", why="no-data"),
    Kind("frozen", 40, since=13 * HOUR, flags={"frozen"}, status="no-data", why="no-data"),
    Kind("above-its-own", USUAL + 9, {"realtime_capacity": USUAL}, flags={"above-capacity"}, why="doubtful"),
    Kind("wrong-capacity", stated=15, flags={"above-capacity"}, why="doubtful"),
    Kind("jump", USUAL + 90, flags={"jump"}, why="doubtful"),
    Kind("stale", source="dead", status="no-data", why="no-data"),
    Kind("negative", -3, flags={"negative"}, status="no-data", why="no-data"),
    Kind("garbage", "viele", flags={"unreadable"}, status="no-data", why="no-data"),
    Kind("nothing", None, flags={"no-number"}, status="no-data", why="no-data"),
    Kind("no-clock", USUAL + 60, {"realtime_data_updated_at": "gestern"}, sign=rounded(USUAL)),
    Kind("tomorrow", USUAL + 60, {"realtime_data_updated_at": "2024-03-12T18:00:00Z"}, status="no-data", why="no-data"),
    Kind("closed", said={"realtime_opening_status": "CLOSED"}, status="closed", sign="zu"),
    Kind("two-sources", said={"capacity": 90}, sign=rounded(USUAL)),
)  # fmt: skip
PLACES = {str(number): kind.name for number, kind in enumerate(KINDS, 1)}
PROFILE = msgspec.structs.replace(
    TOWN,
    things=tuple(
        ThingProfile(
            id=kind.name, name=kind.name, kind="car-park", description={},
            facts={"capacity": [Fact(value=kind.stated, source="list", date="2022")]},
        )
        for kind in KINDS
    ),
)  # fmt: skip


class Town:
    """A house of this town, with real checks and a real store."""

    profile, reader, person = PROFILE, HOUSE, None

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.rejections: list[Any] = []

    def now(self) -> datetime:
        return NOW

    def for_anybody(self) -> "Town":
        return self

    def settings(self, service: str) -> dict[str, Any]:
        return {}

    def note(self, *said: Any, **detail: Any) -> None:
        pass

    def give(self, service: str, dataset: str, records: Iterable[Record]) -> None:
        self.take(Parsed(tuple(records), ()), Source(id="service/parking", connector="p", dataset=dataset), NOW)

    def hear(self, body: bytes, source: Source, at: datetime) -> None:
        """A message, by its connector."""
        payload = Payload(body=body, name="constructed", received_at=times.from_datetime(at))
        self.take(parse(payload, source), source, at)

    def take(self, parsed: Parsed, source: Source, at: datetime) -> None:
        payload = Payload(body=b"", name="constructed", received_at=times.from_datetime(at))
        batch = ingest(parsed, payload=payload, source=source, version="1", limits=IngestLimits())
        self.rejections += batch.rejections
        self.store.append(batch)


def source(name: str) -> Source:
    things = {kind.name: ThingFacts(id=kind.name, name=kind.name, kind="car-park") for kind in KINDS}
    return Source(id=name, connector="parkapi", dataset="parking", settings={"places": PLACES}, things=things)


def message(kinds: Iterable[Kind], at: datetime) -> bytes:
    items = [
        {
            "id": KINDS.index(kind) + 1, "name": kind.name, "has_realtime_data": True,
            "realtime_data_updated_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "realtime_free_capacity": value(kind, at),
            **(kind.said if at == NOW else {}),
        }
        for kind in kinds
    ]  # fmt: skip
    return msgspec.json.encode({"items": items})


def value(kind: Kind, at: datetime) -> Any:
    if at == NOW or (kind.since is not None and at > NOW - kind.since):
        return kind.free
    off = kind.off if at > NOW - timedelta(days=8) else 0
    return usual_value(times.from_datetime(at)) + off


@pytest.fixture
def town(tmp_path: Any) -> Town:
    watching._habits.clear()
    store = SqliteStore(PlainConnections(tmp_path / "town.sqlite3"))
    store.put_datasets((*DATASETS, DatasetRecord(id="parking-guidance")))
    made = Town(store)
    # thirty days in a few messages: the columns of each are those of many
    gathered: dict[str, list[Parsed]] = {}
    for at in [*(NOW - number * HALF for number in range(48 * 30, 0, -1)), NOW - SOON, NOW]:
        for name in ("feed", "dead"):
            told = [kind for kind in KINDS if kind.source == name]
            if name == "dead" and at > NOW - 2 * HOUR:
                continue
            payload = Payload(body=message(told, at), name="constructed", received_at=times.from_datetime(at))
            parsed = parse(payload, source(name))
            gathered.setdefault(name, []).append(parsed)
    for name, heard in gathered.items():
        made.take(merged(heard), source(name), NOW)
    made.hear(b"<html>502 Bad Gateway</html>", source("feed"), NOW)
    watching.watch(made)
    return made


def merged(heard: list[Parsed]) -> Parsed:
    """Messages as one: the same series, longer."""
    records: dict[Any, Any] = {}
    for parsed in heard:
        for record in parsed.records:
            key = type(record), record.stream
            if key not in records or not hasattr(record, "times"):
                records[key] = record
                continue
            known = records[key]
            known.flags = [*(known.flags or [""] * len(known.times)), *(record.flags or [""] * len(record.times))]
            known.times += record.times
            known.results += record.results
    return Parsed(tuple(records.values()), tuple(each for parsed in heard for each in parsed.rejections))


def sign_of(state: SiteState | None, site: str) -> Shown:
    rules = Rules(step=5, full_at=2, free_at=8, stale=HALF, valid=HALF)
    display = Display(id="d", mast="m", name="D", street="Ring", shows=(site,), model=MODEL, rules=rules)
    return decide(display, None, [state] if state else [], [], NOW)


def test_bad_data_of_every_kind_ends_as_a_flag_with_an_explanation_and_never_as_a_wrong_sign(town: Town) -> None:
    states = {state.site.id: state for state in states_at(town, NOW)}  # type: ignore[arg-type]  # as much as they use
    rows = {line.state.site.id: line for line in showing.lines(states.values(), NOW)}
    root = datex.status(tuple(states.values()), datex.Publisher("de", "Town", "de"))
    told = {
        each.find("{*}parkingRecordReference").get("id"): each for each in root.iter("{*}parkingRecordStatus")  # type: ignore[union-attr]
    }  # fmt: skip
    wrong = []
    for kind in KINDS:
        state = states[kind.name]
        row, line = present(car_park(state), NOW), rows[kind.name]
        # flag and explanation, for drivers and for operators
        found = (set(state.flags), state.status)
        explained = all(words and words != flag for words, flag in zip(row.flags, state.flags, strict=True))
        explained = explained and (state.status == "live" or bool(row.reason))
        seen = {each.flag for each in line.findings if each.words and each.words != each.flag}
        # what others are given
        given = parkapi.as_site(state).get("realtime_free_capacity")
        vacant = told[kind.name].findtext(".//{*}parkingNumberOfVacantSpaces")
        number = state.free if state.status == "live" and not state.flags else 0 if state.status == "closed" else None
        feeds = (given, vacant) == (number, None if number is None else str(number))
        # what stands in the street
        shown = sign_of(state, kind.name)
        text = " ".join(" ".join(shown.pages[0].rows).split())
        codes = {why.code for why in shown.why}
        wanted = kind.flags | ({kind.operator} if kind.operator else set())
        checks = {
            "flags and status": found == (kind.flags, kind.status),
            "explained": explained,
            "operators see": wanted <= seen,
            "feeds": feeds,
            "sign": text == kind.sign and (not kind.why or kind.why in codes) and all(say_all(shown)),
        }
        wrong += [(kind.name, name, found, seen, given, vacant, text, codes) for name, ok in checks.items() if not ok]
    assert wrong == []

    # what could not be read is kept, and what nobody knows of is not shown
    codes = sorted(rejection.code for rejection in town.rejections)
    assert codes == ["bad-number", "bad-number", "bad-time", "unreadable"]
    nowhere = sign_of(None, "nowhere")
    assert (nowhere.state, nowhere.why[0].code) == ("unknown", "unheard-of")
    # two sources for one capacity stand side by side
    assert [said.value for said in states["two-sources"].site.said("capacity")] == [CAPACITY, 90]
    # the doubts are readings that alerts follow
    points = town.store.points(ANONYMOUS, "frozen~doubt-frozen", 0, 2**60)
    assert points.results == [True]
    # and what is told is a stream beside what was measured, told again when it is another or after an hour
    for _ in range(2):
        telling.tell(town)  # type: ignore[arg-type]  # as much as it uses
    written = {
        each: town.store.points(ANONYMOUS, f"{each}~told", 0, 2**60) for each in ("sound", "frozen", "jump", "closed")
    }
    assert {name: (each.results, each.flags) for name, each in written.items()} == {
        "sound": ([USUAL], [""]), "frozen": ([None], [""]), "jump": ([USUAL + 90], ["jump"]), "closed": ([None], [""])
    }  # fmt: skip
    (head,) = town.store.heads(ANONYMOUS, ["sound~told"])
    assert (head.properties["inputs"], head.dataset) == (["sound~free"], "parking-guidance")
    assert {each.flag for each in Doubt.objects.all()} >= {
        "frozen",
        "drift",
        "jump",
        "full-but-empty",
        "above-capacity",
    }
