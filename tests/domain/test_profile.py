"""A profile is checked as a whole, and an error names the place and what would be right."""

import copy
import datetime
from typing import Any

import msgspec
import pytest

from allmende.domain.errors import ConfigurationError
from allmende.domain.profile import Fact, Profile, as_list
from allmende.domain.profile_checks import ProfileError
from allmende.domain.profile_files import parse_profile

OUTLINE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"id": "a", "name": "A"},
            "geometry": {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]},
        }
    ],
}

DATA: dict[str, Any] = {
    "id": "town",
    "name": "Town",
    "country": "PT",
    "time_zone": "Europe/Lisbon",
    "languages": ["de", "en"],
    "geography": {
        "center": [1.5, 1.5],
        "zoom": 12,
        "boundary": OUTLINE,
        "districts": "districts.geojson",
        "waters": OUTLINE,
        "attribution": "nobody",
    },
    "facts": {
        "population": {"value": 7, "source": "counted", "date": datetime.date(2025, 2, 1)},
        "trees": [
            {"value": 1, "source": "one", "date": "undated"},
            {"value": 2, "source": "another", "date": "2024-11/2025"},
        ],
    },
    "datasets": {
        "parking": {
            "title": {"de": "Parken", "en": "Parking"},
            "description": {"de": "Freie Plätze", "en": "Free spaces"},
            "publisher": "Town",
            "licence": "CC0-1.0",
            "attribution": "Town",
        }
    },
    "things": [
        {
            "id": "parking-market",
            "name": "Market",
            "kind": "car-park",
            "description": {"de": "Markt", "en": "Market"},
            "position": {"lon": 1.5, "lat": 1.5, "source": "seen", "date": "2025"},
            "facts": {"capacity": [{"value": 40, "source": "sign", "date": "2025"}]},
        }
    ],
    "sources": {
        "feed": {
            "connector": "csv",
            "title": {"de": "Meldung", "en": "Feed"},
            "enabled": True,
            "dataset": "parking",
            "address": "https://town.example/feed",
            "interval": "PT5M",
            "settings": {
                "table": "means.csv",
                "places": {"Market": "parking-market"},
                "silence": {"day": "PT45M", "night": "PT6H", "day_from": "06:00", "day_to": "21:00", "rewrite": "P1D"},
            },
        }
    },
    "services": {"parking": {"kind": "car-park"}},
}

FILES = {
    "districts.geojson": msgspec.json.encode(OUTLINE),
    "means.csv": b"place,mean\n",
    "parking/tariffs.toml": b"from = 2025-02-01\n",
    "parking/bad.toml": b"from",
}


def parsed(data: dict[str, Any] = DATA) -> Profile:
    return parse_profile(data, FILES)


def changed(place: str, value: object) -> dict[str, Any]:
    """The good profile with one value set (or, for None, taken away) at a place such as ``things.0.kind``."""
    data = copy.deepcopy(DATA)
    *path, last = place.split("/")
    target: Any = data
    for step in path:
        target = target[int(step)] if isinstance(target, list) else target[step]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return data


def test_a_good_profile_is_read() -> None:
    profile = parsed()
    assert profile.languages == ["de", "en"]
    assert profile.geography.center == (1.5, 1.5)
    assert profile.geography.districts == OUTLINE
    assert profile.things[0].position is not None
    assert profile.thing("parking-market") is profile.things[0]
    assert profile.thing("nothing") is None
    assert profile.services == {"parking": {"kind": "car-park"}}


def test_a_source_knows_its_interval_and_its_tables() -> None:
    source = parsed().sources["feed"]
    assert source.id == "feed"
    assert source.interval_seconds == 300
    assert source.tables == {"means.csv": b"place,mean\n"}
    assert parsed(changed("sources/feed/interval", None)).sources["feed"].interval_seconds is None


def test_a_service_has_tables_in_files_of_their_own() -> None:
    named = changed("services/parking/tables", {"tariffs": "parking/tariffs.toml"})
    assert parsed(named).services["parking"]["tables"] == {"tariffs": {"from": "2025-02-01"}}


def test_dates_of_toml_and_lists_of_facts_are_kept() -> None:
    facts = parsed().facts
    assert facts["population"] == Fact(value=7, source="counted", date="2025-02-01")
    assert [fact.value for fact in as_list(facts["trees"])] == [1, 2]
    assert [fact.value for fact in as_list(facts["population"])] == [7]
    assert as_list(facts.get("none")) == []


BROKEN = [
    ("wether", {}, "wether: is no known key; known are id, name,"),
    ("name", None, "name: is missing"),
    ("name", 3, "name: expected `str`, got `int`"),
    ("name", " ", "name: is empty"),
    ("id", "My Town", 'id: "My Town" is no id'),
    ("country", "Portugal", 'country: "Portugal" is no country of ISO 3166-1, e.g. DE'),
    ("time_zone", "Europe/Atlantis", 'time_zone: "Europe/Atlantis" is no time zone'),
    ("time_zone", "Europe", 'time_zone: "Europe" is no time zone'),
    ("time_zone", "../etc", 'time_zone: "../etc" is no time zone'),
    ("languages", [], "languages: is empty"),
    ("languages", ["Deutsch"], 'languages[0]: "Deutsch" is no language tag'),
    ("languages", ["de", "fr"], "datasets.parking.title.fr: is missing"),
    ("geography", None, "geography: is missing"),
    ("geography/zoom", "near", "geography.zoom: expected `float`, got `str`"),
    ("geography/zoom", 99, "geography.zoom: lies between 0 and 24"),
    ("geography/center", [1.0], "geography.center: expected `array` of length 2, got 1"),
    ("geography/center", [51.0, 111.0], "geography.center: lon 51, lat 111 is nowhere"),
    ("geography/attribution", "", "geography.attribution: is empty"),
    ("geography/boundary", "none.geojson", 'geography.boundary: there is no file "none.geojson" beside city.toml'),
    ("geography/boundary", "means.csv", 'geography.boundary: "means.csv" is no JSON'),
    ("geography/boundary", {"type": "Polygon"}, "geography.boundary: is no GeoJSON FeatureCollection"),
    ("geography/waters", {"type": "FeatureCollection"}, "geography.waters: has no list of features"),
    (
        "geography/waters",
        {"type": "FeatureCollection", "features": [{"type": "Feature"}]},
        "geography.waters.features[0]: has no geometry or no properties",
    ),
    ("facts/population/source", None, "facts.population.source: is missing"),
    ("facts/population/source", " ", "facts.population.source: is empty"),
    ("facts/population/date", "last year", 'facts.population.date: "last year" is no date'),
    ("facts/population/date", "2025-02-30", 'facts.population.date: "2025-02-30" is no date'),
    ("facts/population/value", "", "facts.population.value: is empty"),
    ("facts/population/valeu", 8, "facts.population.valeu: is no known key; known are value, source, date"),
    ("facts/trees/1/date", None, "facts.trees[1].date: is missing"),
    ("facts/trees", [], "facts.trees: is an empty list"),
    ("facts", [], "facts: is a table of keys"),
    ("datasets/parking/access", "secret", "datasets.parking.access: invalid enum value 'secret'"),
    ("datasets/parking/title", {"de": "Parken"}, "datasets.parking.title.en: is missing"),
    ("datasets/parking/title", {"de": "Parken", "en": 3}, "datasets.parking.title[...]: expected `str`, got `int`"),
    ("datasets/parking/id", "x", 'datasets.parking.id: is said by the table\'s name, "parking", already'),
    ("datasets/Parking Lot", {}, 'datasets.Parking Lot: "Parking Lot" is no id'),
    ("things", {}, "things: is a list of tables, written [[things]]"),
    ("things", [DATA["things"][0]] * 2, "things.parking-market: is there twice"),
    ("things/0/kind", None, "things.parking-market.kind: is missing"),
    ("things/0/id", None, "things[0].id: is missing"),
    ("things/0/position/lat", 200.0, "things.parking-market.position: lon 1.5, lat 200 is nowhere"),
    ("things/0/position/date", None, "things.parking-market.position.date: is missing"),
    ("things/0/facts/capacity", [{"value": 4}], "things.parking-market.facts.capacity[0].source: is missing"),
    ("sources/feed/interval", "5 min", 'sources.feed.interval: "5 min" is no ISO 8601 duration, e.g. PT5M'),
    ("sources/feed/interval", "PT0S", 'sources.feed.interval: "PT0S" is no time at all'),
    ("sources/feed/address", "ftp://x", 'sources.feed.address: "ftp://x" is no address'),
    ("sources/feed/address", "http://[::1", 'sources.feed.address: "http://[::1" is no address'),
    ("sources/feed/address", "http://x:port/", 'sources.feed.address: "http://x:port/" is no address'),
    ("sources/feed/address", "https://n:p@x/", 'sources.feed.address: "https://n:p@x/" is no address'),
    ("sources/feed/address", "https://${SOURCE_X}/", "sources.feed.address: a variable stands in its path"),
    (
        "sources/feed/address",
        "https://x/${HOME}",
        'sources.feed.address: "HOME" is no environment variable of a source',
    ),
    ("sources/feed/address", "https://me:secret@x/", "sources.feed.address: "),
    ("sources/feed/headers", {"A": "Bearer ${ALLMENDE_SECRET_KEY}"}, 'sources.feed.headers.A: "ALLMENDE_SECRET_KEY"'),
    ("sources/feed/headers", {"A b": "x"}, "sources.feed.headers.A b: is no header of HTTP"),
    ("sources/feed/headers", {"A": "x\r\nHost: y"}, "sources.feed.headers.A: is no header of HTTP"),
    ("sources/feed/secrets", {"token": "HOME"}, 'sources.feed.secrets.token: "HOME" is no environment variable'),
    ("sources/feed/responsible", "nobody", 'sources.feed.responsible: "nobody" is no e-mail address'),
    ("sources/feed/contract", {"late_after": "soon"}, "sources.feed.contract.late_after: 'soon' is no ISO 8601"),
    ("sources/feed/contract", {"colums": []}, "sources.feed.contract: Object contains unknown field"),
    ("sources/feed/contract", {"ranges": {"p": {"low": 2, "high": 1}}}, "sources.feed.contract.ranges.p: low 2"),
    ("sources/feed/intervall", "PT5M", "sources.feed.intervall: is no known key; known are id, connector"),
    ("sources/feed/enabled", "yes", "sources.feed.enabled: expected `bool`, got `str`"),
    ("sources/feed/dataset", "weather", 'sources.feed.dataset: there is no dataset "weather"; there are parking'),
    ("sources/feed/tables", {}, "sources.feed.tables: is no known key"),
    ("sources/feed/settings/table", "none.csv", 'sources.feed.settings.table: there is no file "none.csv"'),
    ("sources/feed/settings/tables", "means.csv", "sources.feed.settings.tables: is a list of file names"),
    ("sources/feed/settings/places/Market", "lot", "sources.feed.settings.places.Market: there is no thing 'lot'"),
    ("sources/feed/settings/silence/day", "soon", 'sources.feed.settings.silence.day: "soon" is no ISO 8601 duration'),
    ("sources/feed/settings/silence/day_to", "9 pm", "sources.feed.settings.silence.day_to: '9 pm' is no local time"),
    ("sources/feed/settings/silence/noon", "PT1H", "sources.feed.settings.silence.noon: is no known key"),
    ("services/parking", "on", "services.parking: is a table of keys, not 'on'"),
    ("services/parking/tables", {"a": "x/none.toml"}, 'services.parking.tables.a: there is no file "x/none.toml"'),
    ("services/parking/tables", {"a": "../a.toml"}, "services.parking.tables.a: '../a.toml' is no file in a folder"),
    ("services/parking/tables", {"a": "parking/bad.toml"}, "parking/bad.toml: is no TOML"),
]


@pytest.mark.parametrize(("place", "value", "message"), BROKEN, ids=[f"{p}={v}"[:50] for p, v, _ in BROKEN])
def test_a_broken_profile_is_refused_with_the_place(place: str, value: object, message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parsed(changed(place, value))
    assert str(caught.value).startswith(message)
    assert caught.value.place == str(caught.value).split(": ")[0]
    assert isinstance(caught.value, ConfigurationError)
