"""What parking gives into the commons, and what it brings to a city."""

from datetime import UTC, datetime

import msgspec
import pytest

from allmende.city.parking.publish import Together, records, together
from allmende.city.parking.sites import Site
from allmende.city.parking.standing import SiteState
from allmende.domain.errors import ConfigurationError
from allmende.domain.policy import ANONYMOUS
from allmende.domain.records import Series
from allmende.web.profiles import load_profile
from tests.city.parking.test_feeds import made

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def state(site_id: str, free: int | None, **changes: object) -> SiteState:
    kind = str(changes.pop("kind", "car-park"))
    site = msgspec.convert({"id": site_id, "name": site_id, "kind": kind, "stands_for": site_id}, Site)
    status = "live" if free is not None else "no-data"
    return msgspec.structs.replace(SiteState(site=site, now=NOW, status=status, free=free), **changes)


def test_only_what_is_measured_live_and_plausible_is_summed():
    states = [
        state("a", 12),
        state("b", 3),
        state("silent", None),
        state("odd", 400, flags=("above-capacity",)),
        state("played", 50, simulated=True),
        state("whole", 15, summed=True),
        state("kerb", 5, kind="parking-area"),
        state("uncounted", None, reason="never"),
        made("cycles", free=40, facts={"purpose": "BIKE"}),
    ]
    assert together(states) == Together(free=15, live=2, known=4)
    assert together([state("played", 50, simulated=True)]) is None


def test_where_nothing_reports_no_number_is_told():
    told = {record.stream: record.results for record in records(Together(0, 0, 3), NOW) if isinstance(record, Series)}
    assert told == {"parking-guidance~live": [0]}
    told = {record.stream: record.results for record in records(Together(7, 2, 3), NOW) if isinstance(record, Series)}
    assert told == {"parking-guidance~free": [7], "parking-guidance~live": [2]}


@pytest.mark.parametrize(("city", "datasets"), [("jena", ["parking", "demo-parking"]), ("example", ["car-parks"])])
def test_a_city_has_what_the_service_brings(city, datasets):
    try:
        profile = load_profile(city)
    except ConfigurationError as missing:
        pytest.skip(str(missing))
    assert {"parking-full", "parking-silent", "parking-implausible"} <= set(profile.alerts)
    assert profile.datasets["parking-guidance"].related == datasets
    assert profile.boards["parking"].content.tiles[0].settings["datasets"] == datasets
    assert set(profile.stories["freie-plaetze"].content.texts) == {"de", "en", "de-simple"}


@pytest.mark.django_db
def test_the_job_gives_it_to_the_commons():
    from allmende.web.house import open_profile, open_store
    from allmende.web.testing import furnish_town, run_job

    if not any(dataset == "parking" for dataset in open_profile().datasets):
        pytest.skip("the city's car parks are simulated alone")
    furnish_town()
    run_job("parking", "publish")
    told = {each.id: each.result for each in open_store().streams(ANONYMOUS, "parking-guidance")}
    assert told == {"parking-guidance~live": 0}
    assert open_store().sources()["service/parking"].accepted == 1
