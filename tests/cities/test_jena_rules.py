"""Jena's own rules: the figures that the city and its documentation give come out exactly. Readings are constructed."""

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.knowledge.town import NOW, Clock, follow, readings, send, settle
from tests.support import ENGINES

from allmende.domain.profile import Profile
from allmende.domain.rule_files import parse_rules
from allmende.domain.store import DatasetRecord, Store
from allmende.domain.times import DAY, HOUR, MINUTE, SECOND, parse_instant
from allmende.knowledge.prepare import Prepared, prepare_rules
from allmende.web.profiles import load_profile

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "cities" / "jena" / "rules"


def profile(members: dict[str, str] | None = None) -> Profile:
    """Jena, with devices at soil sites."""
    files = {f"rules/{path.name}": path.read_bytes() for path in RULES.iterdir()}
    if members:
        rows = list(csv.DictReader(io.StringIO(files["rules/soil_sites.csv"].decode())))
        out = io.StringIO()
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows([{**row, "member": members.get(row["id"], "")} for row in rows])
        files["rules/soil_sites.csv"] = out.getvalue().encode()
    groups, rules = parse_rules(files)
    return msgspec.structs.replace(load_profile("jena"), groups=groups, rules=rules)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = ENGINES["sqlite"](tmp_path)
    made.put_datasets(
        DatasetRecord(id=name)
        for name in ("parking", "lorawan", "soil", "traffic-derived", "bicycles-derived", "traffic-signals", "traffic")
    )
    return made


def city(store: Store, clock: Clock, members: dict[str, str] | None = None, only: str = ""):
    """A follower of Jena's rules."""
    prepared = prepare_rules(profile(members))
    assert not prepared.problems
    return follow(store, [rule for rule in prepared.rules if rule.id.startswith(only)], clock)


def potential(store: Store, device: str, time: int, *values: float, unit: str = "kPa") -> None:
    """One uplink; a value for each depth."""
    for depth, value in enumerate(values, 1):
        send(
            store, f"{device}~soil-water-potential-{depth}", {time: value},
            observed="soil-water-potential", unit=unit, kind="measurement", dataset="lorawan", at=time,
        )  # fmt: skip


# --- watering


@pytest.mark.parametrize(
    ("values", "unit", "pf", "mean", "colour"),
    [
        ((-105, -306), "kPa", (3.021, 3.486), 3.253, "yellow"),
        ((-450, -625), "kPa", (3.653, 3.796), 3.725, "red"),
        ((-105_000, -306_000), "Pa", (3.021, 3.486), 3.253, "yellow"),
        ((-10.7070, -31.2033), "m[H2O]", (3.021, 3.486), 3.253, "yellow"),
        ((-6,), "kPa", (1.778,), 1.778, "blue"),
        ((-100,), "kPa", (3.0,), 3.0, "green"),
        ((-9,), "kPa", (1.954,), 1.954, "green"),
        ((-450, 0), "kPa", (3.653, None), 3.653, "red"),
    ],
)
def test_the_worked_figures_of_a_site(store, values, unit, pf, mean, colour):
    follower = city(store, Clock(), {"282": "dev"}, "soil")
    potential(store, "dev", NOW, *values, unit=unit)
    settle(follower)
    for depth, value in enumerate(pf, 1):
        found = readings(store, f"dev~soil-water-potential-{depth}~pf")
        assert found == ({} if value is None else {NOW: pytest.approx(value, abs=0.0005)})
    assert readings(store, "soil-site-282~pf") == {NOW: pytest.approx(mean, abs=0.0005)}
    assert readings(store, "soil-site-282~colour") == {NOW: colour}
    assert readings(store, "soil-site-282~depths") == {NOW: sum(value is not None for value in pf)}


WET, MOIST, DRY, VERY_DRY = -5.0, -50.0, -200.0, -500.0
"""Kilopascal, for pF 1.7, 2.7, 3.3 and 3.7."""
FIVE = ("244", "245", "286", "287", "290")


@pytest.mark.parametrize(
    ("values", "colour"),
    [
        ([WET], "blue"), ([MOIST], "green"), ([DRY], "yellow"), ([VERY_DRY], "red"),
        ([-100.0], "yellow"), ([WET, DRY], "green"), ([MOIST, DRY], "yellow"),
        ([WET, VERY_DRY, VERY_DRY], "blue"), ([MOIST, DRY, DRY], "yellow"), ([MOIST, VERY_DRY, DRY], "yellow"),
        ([MOIST, MOIST, VERY_DRY], "red"), ([DRY, DRY, DRY], "red"), ([MOIST, MOIST, DRY], "green"),
        ([MOIST, DRY, DRY, MOIST], "yellow"), ([DRY, DRY, DRY, DRY], "red"), ([WET, DRY, DRY, DRY], "blue"),
        ([WET, WET, DRY, DRY, DRY], "blue"), ([WET, MOIST, DRY, DRY, DRY], "yellow"),
        ([WET, MOIST, MOIST, MOIST, VERY_DRY], "red"), ([MOIST, DRY, DRY, DRY, DRY], "red"),
        ([MOIST, MOIST, MOIST, DRY, DRY], "green"), ([WET, MOIST, MOIST, DRY, DRY], "green"),
    ],
)  # fmt: skip
def test_the_table_of_an_area(store, values, colour):
    clock = Clock()
    members = {site: f"dev-{site}" for site in FIVE}
    follower = city(store, clock, members, "soil")
    for site, value in zip(FIVE, values, strict=False):
        potential(store, f"dev-{site}", NOW + MINUTE, value)
    settle(follower)
    clock.now = NOW + HOUR
    settle(follower)
    end = NOW + HOUR
    assert readings(store, "soil-area-15~colour") == {end: colour}
    assert readings(store, "soil-area-15~spoke") == {end: len(values)}
    assert readings(store, "soil-area-15~silent") == {end: 5 - len(values)}


def test_a_site_that_falls_silent_is_told(store):
    clock = Clock()
    follower = city(store, clock, {"282": "a", "285": "b", "294": "c"}, "soil")
    for device in "abc":
        potential(store, device, NOW, DRY)
    for hour in range(1, 50):
        potential(store, "a", NOW + hour * HOUR, DRY)
    settle(follower)
    clock.now = NOW + 50 * HOUR
    settle(follower)
    spoke, colours = readings(store, "soil-area-1~spoke"), readings(store, "soil-area-1~colour")
    assert (spoke[NOW + HOUR], colours[NOW + HOUR]) == (3, "red")
    assert (spoke[NOW + 49 * HOUR], colours[NOW + 49 * HOUR]) == (1, "yellow"), "two are silent, and not counted"
    clock.now = NOW + 100 * HOUR
    settle(follower)
    spoke, colours = readings(store, "soil-area-1~spoke"), readings(store, "soil-area-1~colour")
    assert (spoke[NOW + 100 * HOUR], colours[NOW + 100 * HOUR]) == (0, None), "no colour of nobody, and not the old one"


# --- conflicts


def test_conflicts_count_windows_of_green_and_fast_bicycles(store):
    clock = Clock()
    send(store, "K440~thermal", {NOW: 1}, dataset="traffic-signals", place=(11.584, 50.924))
    follower = city(store, clock, only="felsenkeller")
    lights = {
        NOW - MINUTE: "green",
        NOW + 20 * SECOND: "amber",
        NOW + 24 * SECOND: "red",
        NOW + 50 * SECOND: "red-amber",
    }
    send(store, "K440~K4_1~aspect", lights, observed="signal-aspect", kind="category", dataset="traffic-signals")
    seen = {NOW + 2 * n * SECOND: 0 for n in range(30)}
    seen |= {NOW + 2 * SECOND: 1, NOW + 4 * SECOND: 2, NOW + 22 * SECOND: 1, NOW + 30 * SECOND: 1, NOW + 52 * SECOND: 1}
    send(store, "Felsenkeller~southbound-bicycles~count", seen, kind="count", dataset="traffic")
    settle(follower)
    assert readings(store, "K440~conflicts~count") == {}
    clock.now = NOW + MINUTE + 10 * SECOND
    settle(follower)
    assert readings(store, "K440~conflicts~count") == {NOW: 3}
    assert readings(store, "K440~conflicts~watched")[NOW] == 30


def test_the_camera_may_speak_before_the_installation_is_known(store):
    clock = Clock()
    follower = city(store, clock, only="felsenkeller")
    bicycles = {NOW + 2 * n * SECOND: 1 for n in range(300)}
    send(store, "Felsenkeller~southbound-bicycles~count", bicycles, kind="count", dataset="traffic")
    clock.now = NOW + 3 * MINUTE
    settle(follower)  # which wants that no rule failed
    assert follower.problems == ["felsenkeller-conflicts: there is no Thing 'K440' yet, and so no values"]
    lamp = {NOW + 3 * MINUTE: "green"}
    send(store, "K440~K4_1~aspect", lamp, observed="signal-aspect", kind="category", dataset="traffic-signals")
    clock.now = NOW + 5 * MINUTE
    settle(follower)
    assert follower.problems == []
    assert readings(store, "K440~conflicts~count") == {NOW + 3 * MINUTE: 30}


def test_without_the_lamp_nobody_knows_of_conflicts(store):
    clock = Clock()
    send(store, "K440~thermal", {NOW: 1}, dataset="traffic-signals", place=(11.584, 50.924))
    follower = city(store, clock, only="felsenkeller")
    send(store, "K440~K4_1~aspect", {NOW - 10 * MINUTE: "green"}, observed="signal-aspect", dataset="traffic-signals")
    send(store, "Felsenkeller~southbound-bicycles~count", {NOW: 1, NOW + 2 * SECOND: 1}, dataset="traffic")
    clock.now = NOW + 2 * MINUTE
    settle(follower)
    assert readings(store, "K440~conflicts~count") == {}, "the lamp was last heard of ten minutes ago"
    assert readings(store, "K440~conflicts~watched")[NOW] == 0


# --- level of service


@pytest.mark.parametrize(
    ("levels", "speeds", "level"),
    [([2, 3, 3], [20], 3), ([], [45, 47], 1), ([], [30, 34], 3), ([], [10], 6), ([6], [], 6)],
)
def test_level_of_service(store, levels, speeds, level):
    clock = Clock()
    follower = city(store, clock, only="level")
    for name, values, observed, unit in (
        ("los", levels, "level-of-service", "1"),
        ("speed", speeds, "vehicle-speed", "km/h"),
        ("volume", [600, 700], "traffic-volume", "{vehicle}/h"),
    ):
        told = {NOW + 10 * n * SECOND: value for n, value in enumerate(values)}
        properties = {"kind": "traffic-area"}
        if told:
            send(store, f"miv-12~{name}", told, observed=observed, unit=unit, properties=properties, dataset="traffic")
    send(store, "other~speed", {NOW: 5}, observed="vehicle-speed", unit="km/h", dataset="traffic")
    clock.now = NOW + 6 * MINUTE
    settle(follower)
    assert readings(store, "miv-12~level-5min") == {NOW: level}
    assert readings(store, "miv-12~volume-5min") == {NOW: 650}
    assert readings(store, "other~level-5min") == {}


# --- bicycles (dossier, section 20)

HALF_2025 = {
    "oberaue": 356_424, "bibliotheksplatz": 334_023, "griesbruecke": 326_422, "burgauer-weg": 215_436,
    "goldbergrampe": 146_861, "erfurter-strasse": 31_057,
}  # fmt: skip


def spread(total: int, days: int) -> list[int]:
    """So many rides over so many days."""
    return [total // days + (day < total % days) for day in range(days)]


def count(store: Store, station: str, first: int, days: list[int], **more: Any) -> None:
    noon = first + 12 * HOUR
    told = {noon + day * DAY: rides for day, rides in enumerate(days)}
    send(store, f"{station}~bicycles", told, observed="bicycle-count", unit="{vehicle}", kind="count", **more)


def test_the_first_half_of_2025(store):
    clock = Clock(parse_instant("2025-01-01T06:00:00Z"))
    follower = city(store, clock, only="bicycle")
    for station, total in HALF_2025.items():
        count(store, station, parse_instant("2025-01-01T00:00:00Z"), spread(total, 181))
    clock.now = parse_instant("2025-07-01T12:00:00Z")
    settle(follower)
    begin = parse_instant("2024-12-31T23:00:00Z")
    assert readings(store, "bicycle-counters~half-year~rides") == {begin: 1_410_223}
    assert readings(store, "bicycle-counters~half-year~days") == {begin: 181 * 6}
    (mean,) = readings(store, "bicycle-counters~half-year~mean").values()
    assert round(mean) == 1_299
    rides = readings(store, "oberaue~rides-per-day")
    assert (len(rides), sum(rides.values())) == (181, 356_424)


def test_the_year_2024_divides_by_active_station_days(store):
    clock = Clock(parse_instant("2024-01-01T06:00:00Z"))
    follower = city(store, clock, only="bicycle")
    # Four all year, Griesbrücke since August, Erfurter Straße since November, less what was out of order.
    active = {"oberaue": 366, "bibliotheksplatz": 366, "burgauer-weg": 350, "goldbergrampe": 355,
              "griesbruecke": 153, "erfurter-strasse": 61}  # fmt: skip
    assert sum(active.values()) == 1_651
    rides = iter(spread(2_411_153, 1_651))
    end = parse_instant("2024-12-31T00:00:00Z")
    for station, days in active.items():
        count(store, station, end - (days - 1) * DAY, [next(rides) for _ in range(days)])
    clock.now = parse_instant("2025-01-01T12:00:00Z")
    settle(follower)
    begin = parse_instant("2023-12-31T23:00:00Z")
    assert readings(store, "bicycle-counters~year~rides") == {begin: 2_411_153}
    assert readings(store, "bicycle-counters~year~days") == {begin: 1_651}
    (mean,) = readings(store, "bicycle-counters~year~mean").values()
    assert round(mean) == 1_460
    assert round(2_411_153 / 366 / 6) == 1_098, "what a mean over all days of all of today's stations would say"


# --- what is wrong


def test_rules_that_read_each_other_are_refused():
    files = {f"rules/{path.name}": path.read_bytes() for path in RULES.iterdir()}
    files["rules/soil.toml"] = files["rules/soil.toml"].replace(
        b'property = ["soil-water-potential", "soil-water-tension"]\nunit = "hPa"', b'rule = "soil-site.pf"'
    )
    groups, rules = parse_rules(files)
    prepared = prepare_rules(msgspec.structs.replace(load_profile("jena"), groups=groups, rules=rules))
    assert set(prepared.problems) >= {"soil-pf", "soil-site"}
    assert "circle" in prepared.problems["soil-pf"]
    assert "soil-area" in prepared.problems
    assert {rule.id for rule in prepared.rules} >= {"bicycle-days", "level-of-service"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"log10(abs(potential))", b"log10(abs(potentials))", "rules.soil-pf.outputs.pf.expression: line 1, column 11"),
        (b'unit = "hPa"', b'unit = "hpa"', "rules.soil-pf.inputs.potential.unit"),
        (b'"log10(abs(potential))"', b'"abs(potential)"', "rules.soil-pf.outputs.pf.unit"),
        (b'rule = "soil-pf.pf"', b'rule = "soil-pf.pff"', "rules.soil-site.inputs.pf.rule"),
        (b'"spoke = 0"', b'"spoke = nobody"', "rules.soil-area.outputs.colour.cases[0].when: line 1, column 9"),
        (b'steps = { mean = "mean(pf)" }', b'steps = { mean = "pf" }', "rules.soil-site.outputs.pf.expression"),
        (b'every = "PT1H", stamp', b'every = "PT7H", stamp', "rules.soil-area.window.every"),
    ],
)
def test_a_rule_that_is_wrong_is_told_with_file_and_key(old, new, words):
    assert any(f"rules/soil.toml: {words}" in problem for problem in changed(old, new).problems.values())


def changed(old: bytes, new: bytes) -> Prepared:
    """Jena's rules with another word in the file about the soil."""
    files = {f"rules/{path.name}": path.read_bytes() for path in RULES.iterdir()}
    assert old in files["rules/soil.toml"]
    files["rules/soil.toml"] = files["rules/soil.toml"].replace(old, new, 1)
    groups, rules = parse_rules(files)
    return prepare_rules(msgspec.structs.replace(load_profile("jena"), groups=groups, rules=rules))
