"""The way in: everything that comes is accepted, repeated, corrected or kept as a rejection."""

import gzip
import io

import msgspec
import pytest
from tests.support import HOUSE, captured
from tests.web.simple import EPOCH, city, connector, lines, make_intake, payload

from allmende.domain.batch import Receipt
from allmende.domain.errors import InvalidInput, NotFound, StorageFull
from allmende.domain.features import FeatureQuery
from allmende.domain.marks import Mark
from allmende.domain.records import Collection, Feature, Features, Parsed, Rejection
from allmende.domain.times import SECOND
from allmende.storage import bookkeeping
from allmende.web.config import Config
from allmende.web.intake import Intake, Message
from allmende.web.pieces import ROWS, split
from allmende.web.profiles import load_profile
from allmende.web.sources import merge_settings, prepare_sources


@pytest.fixture
def intake(tmp_path) -> Intake:
    return make_intake(tmp_path)


def counts(receipt: Receipt) -> tuple[int, int, int, int]:
    return receipt.accepted, receipt.repeated, receipt.corrected, receipt.rejected


def kept(intake: Intake) -> int:
    return sum(latest.count for latest in intake.store.latest(HOUSE))


# --- sources


def test_settings_of_the_profile_go_over_those_of_the_manifest():
    defaults = {"limits": {"low": 0, "high": 10}, "word": "manifest", "list": [1]}
    merged = merge_settings(defaults, {"limits": {"high": 20}, "list": [2], "new": True})
    assert merged == {"limits": {"low": 0, "high": 20}, "word": "manifest", "list": [2], "new": True}
    assert defaults["limits"] == {"low": 0, "high": 10}


def test_a_source_without_its_connector_stands_in_the_list_with_its_problem():
    profile = city(feed={}, lost={"connector": "nobody"})
    prepared = prepare_sources(profile, {"simple": connector()})
    assert prepared["feed"].problems == ()
    assert prepared["feed"].source.settings["word"] == "manifest"
    assert 'the connector "nobody"; installed are simple' in prepared["lost"].problems[0]
    with pytest.raises(NotFound, match="nobody"):
        prepared["lost"].usable()


def test_what_does_not_fit_together_is_said():
    profile = city(a={"address": "http://127.0.0.1/x"}, b={"interval": "PT5M"}, c={})
    plain = prepare_sources(profile, {"simple": connector()})
    assert "no interval" in plain["a"].problems[0]
    assert "neither an address" in plain["b"].problems[0]
    simulating = prepare_sources(profile, {"simple": connector(simulated=True)})
    assert "does not say simulated" in simulating["c"].problems[0]


def test_the_sources_of_the_city_are_in_order():
    import os

    for prepared in prepare_sources(load_profile(os.environ["ALLMENDE_CITY"])).values():
        assert prepared.problems == (), prepared.source.id
        assert prepared.version.startswith("allmende ")


# --- taking


def test_the_four_counts_sum_to_what_was_read(intake):
    assert counts(intake.take("feed", payload(lines("a,1,5", "a,2,6", "b,1,7", "nonsense")))) == (3, 0, 0, 1)
    assert counts(intake.take("feed", payload(lines("a,1,5", "a,2,9", "a,3,1")))) == (1, 1, 1, 0)
    assert kept(intake) == 4
    state = intake.store.sources()["feed"]
    assert (state.accepted, state.repeated, state.corrected, state.rejected) == (4, 1, 1, 1)


def test_a_connector_that_raises_loses_nothing(intake):
    body = lines("a,1,5", "boom")
    receipt = intake.take("feed", payload(body))
    assert counts(receipt) == (0, 0, 0, 1)
    rejection = intake.store.rejection(intake.store.rejections(code="parser-error")[0].number)
    assert rejection.body == body
    assert "RuntimeError: this connector is broken" in rejection.reason


def test_an_unknown_source_is_named_with_the_known_ones(intake):
    with pytest.raises(NotFound, match='no source "nope"; there are feed'):
        intake.take("nope", payload(b""))


def test_a_large_payload_is_committed_in_pieces(intake):
    rows = [f"{stream},{second},{second % 50}" for stream in "abc" for second in range(1700)]
    body = lines(*rows, *(f"bad {n}" for n in range(2100)))
    batch = intake.read(intake.source("feed"), payload(body))
    pieces = list(split(batch))
    sizes = [sum(len(s.times) for s in p.series) + len(p.rejections) for p in pieces]
    assert sizes == [2000, 2000, 1100, 2000, 100]
    assert max(sizes) <= ROWS
    for piece in pieces:
        assert {d.stream for d in piece.declarations} == {s.stream for s in piece.series}
    assert counts(intake.take("feed", payload(body))) == (5100, 0, 0, 2100)
    assert counts(intake.take("feed", payload(body))) == (0, 5100, 0, 2100)


def test_below_the_floor_of_the_disk_new_data_is_refused(tmp_path):
    intake = make_intake(tmp_path, disk_floor=2**60)
    with pytest.raises(StorageFull, match="ALLMENDE_DISK_FLOOR"):
        intake.take("feed", payload(lines("a,1,5")))
    with pytest.raises(StorageFull, match="nothing of this was stored"):
        intake.take_file("feed", io.BytesIO(lines("a,1,5")))
    assert kept(intake) == 0


def test_what_the_store_refuses_is_kept_as_rejections(tmp_path):
    intake = make_intake(tmp_path, profile=city(one={}, two={"dataset": "closed"}))
    intake.take("one", payload(lines("a,1,5")))
    body = lines("a,2,6", "a,3,7", "bad")
    assert counts(intake.take("two", payload(body))) == (0, 0, 0, 3)
    assert counts(intake.take_file("two", io.BytesIO(body))) == (0, 0, 0, 3)
    (refused,) = intake.store.rejections(code="conflict")
    assert "another dataset" in refused.reason
    assert intake.store.rejection(refused.number).body == body


# --- files


def test_a_file_twice_changes_nothing(intake, tmp_path):
    path = tmp_path / "counts.csv.gz"
    path.write_bytes(gzip.compress(lines(*(f"a,{second},{second % 7}" for second in range(9000)))))
    told: list[int] = []
    receipt = intake.take_file("feed", path, lambda r: told.append(r.read))
    assert counts(receipt) == (9000, 0, 0, 0)
    assert told == [2000, 4000, 6000, 8000, 9000]
    assert counts(intake.take_file("feed", path)) == (0, 9000, 0, 0)
    assert intake.store.rejections() == []


def test_a_stream_without_a_name_is_taken(intake):
    assert counts(intake.take_file("feed", io.BytesIO(lines("a,1,5")))) == (1, 0, 0, 0)


def test_what_was_told_of_a_damaged_file_is_kept(intake, tmp_path):
    path = tmp_path / "broken.csv.gz"
    whole = gzip.compress(lines(*(f"a,{second},{second * 7919 % 1000}" for second in range(60_000))), 1)
    path.write_bytes(whole[: len(whole) // 2])
    told: list[int] = []
    with pytest.raises(InvalidInput, match="damaged or cut off"):
        intake.take_file("feed", path, lambda r: told.append(r.read))
    assert told
    assert kept(intake) == told[-1]


def test_a_missing_file_is_said(intake, tmp_path):
    with pytest.raises(InvalidInput, match=r"nothing-here.*No such file"):
        intake.take_file("feed", tmp_path / "nothing-here")


def test_payloads_that_end_in_an_error_keep_what_came_before(intake):
    def broken():
        yield payload(lines("a,1,5"))
        raise OSError("the cable is broken")

    with pytest.raises(OSError, match="the cable"):
        intake.take_all("feed", broken())
    assert kept(intake) == 1


# --- messages


def test_messages_go_to_the_sources_that_listen(tmp_path):
    profile = city(
        one={"topic": "devices/+/up"},
        two={"topic": "devices/#"},
        off={"topic": "other/#", "enabled": False},
    )
    intake = make_intake(tmp_path, profile=profile)
    take = intake.message_intake()
    assert set(intake.topics()) == {"devices/+/up", "devices/#"}
    take("devices/7/up", lines("a,1,5"))
    take("devices/7/down", lines("b,1,5"))
    take("other/7", lines("c,1,5"))
    take("elsewhere", b"\x00")
    states = intake.store.sources()
    # The stream belongs to who declared it first; to the second source the same reading is a repetition.
    assert {name: (s.accepted, s.repeated) for name, s in states.items()} == {"one": (1, 0), "two": (1, 1)}


def test_messages_are_taken_together_as_if_one_by_one(tmp_path):
    profile = city(one={"topic": "devices/+/up"}, two={"topic": "devices/#"}, other={"topic": "x", "dataset": "closed"})
    intake = make_intake(tmp_path, profile=profile)
    now = intake.clock()
    receipt = intake.take_messages(
        [
            Message("devices/7/up", lines("a,1,5"), now),
            Message("devices/7/up", lines("a,1,6"), now),
            Message("devices/8/up", lines("b,1,5", "nonsense"), now),
            Message("elsewhere", lines("c,1,5"), now),
        ]
    )
    # to the second source the same reading is a repetition, to both the second value a correction
    assert counts(receipt) == (2, 3, 1, 2)
    # a stream of another dataset is refused, by itself: the readings beside it are taken
    receipt = intake.take_messages([Message("devices/7/up", lines("a,2,5"), now), Message("x", lines("a,2,7"), now)])
    assert counts(receipt) == (1, 1, 0, 1)
    assert [r.code for r in intake.store.rejections(source="other")] == ["conflict"]


@pytest.fixture
def two(tmp_path) -> Intake:
    """Two sources that share a topic's first level."""
    return make_intake(tmp_path, profile=city(one={"topic": "one/#"}, two={"topic": "two/#"}))


NOW = (EPOCH + 60) * SECOND
MESSAGES = [Message("one/7", lines("a,1,5"), NOW), Message("two/7", lines("b,1,5"), NOW + 1)]
MARK = Mark(name="them", number=1, body=b"both")


def break_books(monkeypatch, error: Exception) -> None:
    """Whatever is accepted of the second source is no sooner written than it fails."""
    real = bookkeeping.count_receipt

    def breaks(connection, source, receipt, **more):
        real(connection, source, receipt, **more)
        if source == "two" and receipt.accepted:
            raise error

    monkeypatch.setattr(bookkeeping, "count_receipt", breaks)


def test_a_group_is_kept_with_its_mark(two):
    two.take_messages(MESSAGES, MARK)
    assert kept(two) == 2
    assert two.store.marks("them") == [MARK]
    two.take_messages([Message("elsewhere", b"", NOW)], Mark(name="them", number=2, body=b"none", forget=2))
    assert [mark.number for mark in two.store.marks("them")] == [2]


def test_a_group_that_cannot_be_kept_leaves_nothing_behind(two, monkeypatch):
    break_books(monkeypatch, StorageFull("the disk is full"))
    with pytest.raises(StorageFull):
        two.take_messages(MESSAGES, MARK)
    assert kept(two) == 0
    assert two.store.marks("them") == []


def test_a_message_that_breaks_the_store_does_not_keep_the_others_out(two, monkeypatch):
    break_books(monkeypatch, OverflowError("too large for anything"))
    receipt = two.take_messages(MESSAGES, MARK)
    assert counts(receipt) == (1, 0, 0, 1)
    assert kept(two) == 1
    assert [(r.source, r.code, r.name) for r in two.store.rejections()] == [("two", "store-error", "two/7")]
    assert two.store.marks("them") == [MARK]


# --- captured data


def test_the_recorded_parking_is_accounted_for(tmp_path):
    path = captured("parking", "jena_free_2023-11-07_2024-04-30.csv.gz")
    intake = jena(tmp_path)
    first = intake.take_file("jena-parking", path)
    assert first.read == 176_535
    assert first.accepted + first.repeated + first.corrected + first.rejected == 176_535
    assert first.rejected == 0
    again = intake.take_file("jena-parking", path)
    assert counts(again) == (0, 176_535, 0, 0)


def test_captured_uplinks_give_readings(tmp_path):
    folder = captured("payloads", "chirpstack")
    intake = jena(tmp_path)
    take = intake.message_intake()
    for path in sorted(folder.glob("*.json")):
        take("application/1/device/a84041/event/up", path.read_bytes())
    state = intake.store.sources()["chirpstack"]
    assert state.accepted > 5
    assert state.accepted + state.repeated + state.corrected + state.rejected >= 5


def jena(path) -> Intake:
    from tests.web.simple import PlainConnections, SqliteStore

    from allmende.web.house import furnish

    profile = load_profile("jena")
    store = SqliteStore(PlainConnections(path / "jena.sqlite3"))
    furnish(store, profile)
    return Intake(store, profile, Config(home=path, disk_floor=0))


def test_times_are_those_of_the_readings(intake):
    intake.take("feed", payload(lines("a,60,5")))
    (latest,) = intake.store.latest(HOUSE)
    assert latest.start == (EPOCH + 60) * 1_000_000


# --- deliveries of features


def delivery(body: bytes, at: int):
    return msgspec.structs.replace(payload(body), received_at=EPOCH + at)


def parse_trees(given, source):
    """Pieces are ``id,lon``. ``?`` in place of a number: it cannot be read; ``??``: it cannot be named either."""
    items, unread, rejections = [], [], []
    for line in given.body.decode().split():
        name, _, lon = line.partition(",")
        if "?" in line:
            rejections.append(Rejection(reason="unreadable", body=line.encode()))
            unread += [name] if name != "??" else []
            continue
        items.append(Feature(id=name, geometry={"type": "Point", "coordinates": [float(lon), 50.9]}))
    collection = Collection(id="trees", title="Trees", snapshot=True)
    return Parsed([collection, Features(collection="trees", items=items, unread=unread)], rejections)


@pytest.fixture
def register(tmp_path) -> Intake:
    return make_intake(tmp_path, connectors={"simple": msgspec.structs.replace(connector(), parse=parse_trees)})


def trees(intake: Intake) -> list[str]:
    return [item.id for item in intake.store.features(FeatureQuery(collection="trees", reader=HOUSE)).items]


def test_a_payload_is_a_delivery(register):
    register.take("feed", delivery(b"a,1 b,2 c,3", at=1))
    receipt = register.take("feed", delivery(b"a,1 c,4", at=2))
    assert (*counts(receipt), receipt.gone) == (0, 1, 1, 0, 1)
    assert trees(register) == ["a", "c"]


def test_payloads_of_a_file_are_one_delivery(register):
    register.take_all("feed", [delivery(b"a,1 b,2", at=1), delivery(b"c,3 d,4", at=1)])
    assert trees(register) == ["a", "b", "c", "d"]
    receipt = register.take_all("feed", [delivery(b"a,1", at=2), delivery(b"d,4", at=2)])
    assert receipt.gone == 2
    assert trees(register) == ["a", "d"]


def test_what_is_not_whole_ends_nothing(register):
    register.take("feed", delivery(b"a,1 b,2 c,3", at=1))
    assert register.take("feed", delivery(b"a,1 b,?", at=2)).gone == 1  # b is there, but could not be read
    assert trees(register) == ["a", "b"]
    assert register.take_all("feed", [delivery(b"??", at=3), delivery(b"a,1", at=3)]).gone == 0
    assert register.take("feed", delivery(b"a,999", at=4)).gone == 1  # it is named, and b is not
    assert trees(register) == ["a"]

    def broken_off():
        yield delivery(b"c,1", at=5)
        raise OSError("the host went away")

    with pytest.raises(OSError, match="went away"):
        register.take_all("feed", broken_off())
    assert trees(register) == ["a", "c"]
    register.take("feed", delivery(b"d,1", at=6), only="")
    assert trees(register) == ["a", "c", "d"]


def test_a_delivery_of_another_source_is_refused_and_ends_nothing(tmp_path):
    trees_connector = msgspec.structs.replace(connector(), parse=parse_trees)
    intake = make_intake(tmp_path, profile=city(feed={}, other={}), connectors={"simple": trees_connector})
    intake.take("feed", delivery(b"a,1 b,2", at=1))
    receipt = intake.take("other", delivery(b"c,1 d,1", at=2))
    assert counts(receipt) == (0, 0, 0, 2)
    assert trees(intake) == ["a", "b"]


def test_many_features_are_committed_in_pieces(register):
    names = [f"{n:05}" for n in range(ROWS + 10)]
    body = " ".join(f"{name},1" for name in names).encode()
    assert counts(register.take("feed", delivery(body, at=1))) == (ROWS + 10, 0, 0, 0)
    batch = register.read(register.source("feed"), delivery(body + b" x,?", at=2))
    assert [[len(f.rows) for f in piece.features] or len(piece.rejections) for piece in split(batch)] == [
        [ROWS],
        [10],
        1,
    ]
    receipt = register.take("feed", delivery(body[: 8 * ROWS - 1], at=2))
    assert (*counts(receipt), receipt.gone) == (0, ROWS, 0, 0, 10)
